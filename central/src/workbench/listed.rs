//! What watch lists say of the entries that name a movement: in which words, and who says so. Only of lists that those who select may
//! know of.

use std::collections::{BTreeMap, BTreeSet};

use risk::Reason;
use risk::lists::opened;
use risk::policy::ListUse;

use super::engine::Said;
use crate::state::AppState;
use crate::storage::{StorageError, data};

/// An entry of a list, by the names of both.
pub(super) type Listed = BTreeMap<(String, String), Entry>;

/// What a list says of what it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// What it names: a mark, a name, words, an HS code, a route.
    pub(super) name: String,
    /// Who says so: the entry's source, or the list's.
    pub(super) source: String,
}

/// The entries that are reasons of what the engine said, from the very versions of the lists that it asked.
pub(super) async fn look_up(state: &AppState, said: &Said) -> Result<Listed, StorageError> {
    let mut wanted: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for reason in said.told() {
        if let Reason::List { list, entry, .. } = reason {
            wanted.entry(list).or_default().insert(entry.clone());
        }
    }
    let Some(version) = said.policy().filter(|_| !wanted.is_empty()) else { return Ok(Listed::new()) };
    let Some(policy) = state.store.policy(version).await? else { return Ok(Listed::new()) };
    let mut listed = Listed::new();
    for ListUse { list, digest } in policy.policy()?.lists {
        let Some(entries) = wanted.remove(list.as_str()) else { continue };
        let Some(row) = state.store.watch_list(&digest).await? else { continue };
        let source = row.header()?.source;
        // A million lines take a moment.
        let found = tokio::task::spawn_blocking(move || read(&row.body, &entries, &source)).await;
        let found = found.map_err(data)?.map_err(data)?;
        listed.extend(found.into_iter().map(|(entry, said)| ((list.clone(), entry), said)));
    }
    Ok(listed)
}

/// Some entries of a list's file, as it was imported.
fn read(file: &[u8], wanted: &BTreeSet<String>, source: &str) -> Result<Vec<(String, Entry)>, csv::Error> {
    let mut reader = opened(file);
    let columns = reader.headers()?.clone();
    let column = |name: &str| columns.iter().position(|column| column == name);
    let (entry, name, own) = (column("entry"), column("name"), column("source"));
    let (mut found, mut record) = (Vec::new(), csv::StringRecord::new());
    while found.len() < wanted.len() && reader.read_record(&mut record)? {
        let field = |column: Option<usize>| column.and_then(|at| record.get(at)).unwrap_or_default();
        if wanted.contains(field(entry)) {
            let own = Some(field(own)).filter(|own| !own.is_empty());
            let said = Entry { name: field(name).to_owned(), source: own.unwrap_or(source).to_owned() };
            found.push((field(entry).to_owned(), said));
        }
    }
    Ok(found)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_has_its_own_source_or_the_lists() {
        let file = "\u{feff}name, entry,source\nHappy Shop, 1,\n\"Gloomy, Shop\",2,a colleague\nOther,3,\n";
        let wanted = ["1".to_owned(), "2".to_owned(), "9".to_owned()].into();
        let found = read(file.as_bytes(), &wanted, "liaison").unwrap();
        let entry = |name: &str, source: &str| Entry { name: name.to_owned(), source: source.to_owned() };
        let expected = [
            ("1".to_owned(), entry("Happy Shop", "liaison")),
            ("2".to_owned(), entry("Gloomy, Shop", "a colleague")),
        ];
        assert_eq!(found, expected);
    }
}
