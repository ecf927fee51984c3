//! What an address is told of.

use super::{Channel, topics};
use crate::storage::StorageError;
use crate::trade::news::Doer;
use crate::trade::{News, Topic, TraderId};

/// What an address is told of. Systems are told of everything that they have asked for; people of what others do, unless they want to
/// hear of their own company's changes, too. Nobody is told of what they did themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) channel: Channel,
    pub(crate) topics: Vec<Topic>,
    /// Whether of what the company itself does, too.
    pub(crate) own: bool,
}

impl Wanted {
    pub(in crate::storage) fn read(channel: &str, wanted: &str, own: i64) -> Result<Self, StorageError> {
        Ok(Self { channel: Channel::of_name(channel)?, topics: topics(wanted)?, own: own != 0 })
    }

    /// Whether `address` of a company is told of what somebody has done.
    pub(crate) fn takes(&self, (company, address): (&TraderId, &str), news: &News, by: &Doer) -> bool {
        // A sign-in name is often an e-mail address or a number; capitals count in neither.
        let by_themselves = || by.is_of(company) && by.who.eq_ignore_ascii_case(address);
        let by_others = || !by.is_of(company) || (self.own && !by_themselves());
        news.is_of(&self.topics) && (self.channel == Channel::Webhook || by_others())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_told_of_what_others_do_and_systems_of_everything() {
        let doer = |trader: &str, who: &str| Doer { trader: trader.to_owned(), who: who.to_owned() };
        let (me, colleague) = (doer("acme", "chan@acme.example"), doer("acme", "wong"));
        let (partner, customs) = (doer("bolt", "chan@acme.example"), Doer::authority());
        let acme = "acme".parse().unwrap();
        let told = |channel, own, topics: &[Topic]| {
            let wanted = Wanted { channel, topics: topics.to_vec(), own };
            let address = (&acme, "Chan@Acme.example");
            [&me, &colleague, &partner, &customs]
                .map(|by| wanted.takes(address, &News::ConsignmentCancelled, by))
        };
        let all = Topic::ALL.as_slice();
        assert_eq!(told(Channel::Webhook, false, all), [true; 4]);
        assert_eq!(told(Channel::Email, false, all), [false, false, true, true]);
        assert_eq!(told(Channel::Sms, false, all), [false, false, true, true]);
        assert_eq!(told(Channel::Email, true, all), [false, true, true, true]);
        assert_eq!(told(Channel::Email, true, &[Topic::Report]), [false; 4]);
    }
}
