//! What is written is read again, whatever it says; and whatever is read, nothing breaks.

use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::trade::{Direction, GoodsLine, Party};

/// A text as people have it: no blanks at its ends, no characters that XML cannot hold.
fn text() -> impl Strategy<Value = String> {
    let any = proptest::collection::vec(
        prop_oneof![
            8 => proptest::char::range(' ', '~'),
            2 => Just('\n'),
            2 => proptest::sample::select(vec!['"', '\'', '=', '+', '-', '@', ',', ';', '\t', '&', '<', '_', 'x', '0']),
            4 => proptest::char::range('\u{a0}', '\u{d7ff}'),
            1 => proptest::char::range('\u{10000}', '\u{1ffff}'),
        ],
        1..40,
    );
    any.prop_map(|chars| chars.into_iter().collect::<String>().trim().to_owned())
        .prop_filter("something", |text| {
            !text.is_empty() && !text.chars().any(|c| c.is_control() && !"\n\t".contains(c))
        })
}

fn party() -> impl Strategy<Value = Party> {
    (text(), text()).prop_map(|(name, address)| Party { name, address })
}

fn line() -> impl Strategy<Value = GoodsLine> {
    (
        text(),
        option::of("[0-9]{6,8}"),
        option::of("[A-Z]{2}"),
        option::of(0..=1_000_000_000_000u64),
        option::of(0..=1_000_000_000u64),
    )
        .prop_map(|(description, hs_code, origin, value_hkd, net_weight_kg)| GoodsLine {
            description,
            hs_code,
            origin,
            value_hkd,
            net_weight_kg,
        })
}

prop_compose! {
    fn consignment()(
        outbound in any::<bool>(),
        packages in 1..=1_000_000u32,
        package_kind in text(),
        consignor in party(),
        consignee in party(),
        day in 0..200_000i32,
        own in line(),
        goods in proptest::collection::vec(line(), 0..4),
        transhipment in any::<bool>(),
    ) -> Consignment {
        let date = jiff::civil::date(1950, 1, 1).saturating_add(jiff::Span::new().days(day));
        Consignment {
            direction: if outbound { Direction::Outbound } else { Direction::Inbound },
            packages,
            package_kind,
            description: own.description,
            consignor,
            consignee,
            expected_date: date.to_string(),
            hs_code: own.hs_code,
            origin: own.origin,
            value_hkd: own.value_hkd,
            net_weight_kg: own.net_weight_kg,
            goods,
            transhipment,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_is_written_is_read_again(consignments in proptest::collection::vec(consignment(), 1..4)) {
        let references: Vec<String> = (0..consignments.len()).map(|n| format!("={n}")).collect();
        let entries: Vec<Entry<'_>> = consignments
            .iter()
            .zip(&references)
            .map(|(consignment, reference)| Entry { reference, consignment })
            .collect();
        for format in Format::ALL {
            let written = write(format, &entries, &say).unwrap();
            let rows = read(format, &written).unwrap();
            let again: Vec<Consignment> = rows.iter().map(good).collect();
            prop_assert_eq!(&again, &consignments, "{}", format);
            let named: Vec<_> = rows.into_iter().filter_map(|row| row.origin.reference).collect();
            prop_assert_eq!(&named, &references);
        }
    }

    #[test]
    fn arbitrary_bytes_are_an_error_and_nothing_else(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        for format in Format::ALL {
            prop_assert!(read(format, &bytes).is_err());
        }
    }

    #[test]
    fn a_damaged_file_breaks_nothing(at in any::<proptest::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let (reference, consignment) = super::template::example();
        for format in Format::ALL {
            let entry = Entry { reference: &reference, consignment: &consignment };
            let mut bytes = write(format, &[entry], &say).unwrap();
            let at = at.index(bytes.len());
            if cut { bytes.truncate(at) } else { bytes[at] = byte }
            if let Ok(rows) = read(format, &bytes) {
                for row in rows {
                    let _ = row.checked(|_| Vec::new());
                }
            }
        }
    }
}
