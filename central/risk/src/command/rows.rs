//! Declarations and their outcomes out of a CSV file.

use std::path::Path;

use anyhow::{Context as _, bail};

use crate::score::Declaration;

/// Columns, in the order that [`row`] takes them.
const COLUMNS: [&str; 20] = [
    "Office ID",
    "Process Type",
    "Import Type",
    "Import Use",
    "Payment Type",
    "Mode of Transport",
    "Declarant ID",
    "Importer ID",
    "Seller ID",
    "Courier ID",
    "HS6 Code",
    "Country of Departure",
    "Country of Origin",
    "Tax Type",
    "Country of Origin Indicator",
    "Tax Rate",
    "Net Mass",
    "Item Price",
    "Date",
    "Fraud",
];

/// The declarations of a file, and whether each was a fraud. Errors name file, line, cause and mend.
pub(crate) fn read(file: &Path) -> anyhow::Result<Vec<(Declaration, bool)>> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_path(file)
        .with_context(|| format!("{}: cannot be read; give a CSV of declarations", file.display()))?;
    let header =
        reader.headers().with_context(|| format!("{}: it has no header line", file.display()))?.clone();
    let place = |column: &str| header.iter().position(|name| name.trim_start_matches('\u{feff}') == column);
    let missing: Vec<&str> = COLUMNS.into_iter().filter(|column| place(column).is_none()).collect();
    if !missing.is_empty() {
        bail!("{}: no column {}; give a CSV with these columns", file.display(), missing.join(", "));
    }
    let places = COLUMNS.map(|column| place(column).unwrap_or_default());
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record
            .with_context(|| format!("{}: it is no sound CSV; save it again as CSV", file.display()))?;
        let line = record.position().map_or(0, csv::Position::line);
        let fields = places.map(|at| record.get(at).unwrap_or_default());
        rows.push(row(&fields).with_context(|| format!("{}: line {line}: correct it", file.display()))?);
    }
    if rows.is_empty() {
        bail!("{}: it has no declarations", file.display());
    }
    Ok(rows)
}

fn row(fields: &[&str; 20]) -> anyhow::Result<(Declaration, bool)> {
    let [
        office,
        process,
        import_type,
        import_use,
        payment,
        transport,
        declarant,
        importer,
        seller,
        courier,
        hs6,
        departure,
        origin,
        tax_type,
        origin_indicator,
        tax_rate,
        net_mass,
        item_price,
        date,
        fraud,
    ] = *fields;
    let number = |column: &str, text: &str| -> anyhow::Result<Option<f64>> {
        let read =
            |text: &str| text.parse::<f64>().with_context(|| format!("{column} {text:?} is no number"));
        (!text.is_empty()).then(|| read(text)).transpose()
    };
    let declaration = Declaration {
        office: office.to_owned(),
        process: process.to_owned(),
        import_type: import_type.to_owned(),
        import_use: import_use.to_owned(),
        payment: payment.to_owned(),
        transport: transport.to_owned(),
        declarant: declarant.to_owned(),
        importer: importer.to_owned(),
        seller: seller.to_owned(),
        courier: courier.to_owned(),
        hs6: hs6.to_owned(),
        departure: departure.to_owned(),
        origin: origin.to_owned(),
        tax_type: tax_type.to_owned(),
        origin_indicator: origin_indicator.to_owned(),
        tax_rate: number("Tax Rate", tax_rate)?,
        net_mass: number("Net Mass", net_mass)?,
        item_price: number("Item Price", item_price)?,
        date: (!date.is_empty())
            .then(|| date.parse().with_context(|| format!("Date {date:?} is not YYYY-MM-DD")))
            .transpose()?,
    };
    match fraud {
        "0" => Ok((declaration, false)),
        "1" => Ok((declaration, true)),
        other => bail!("Fraud is {other:?}, 0 or 1 is wanted"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    fn sample(last: &str) -> String {
        format!("{}\n{},{last}\n", COLUMNS.join(","), "a,".repeat(14) + "b")
    }

    #[test]
    fn a_row_is_read_with_what_is_missing_in_it() {
        let rows = read(file(&sample("8.0,,12.5,2020-01-03,1")).path()).unwrap();
        let (declaration, fraud) = &rows[0];
        assert!(*fraud);
        assert_eq!(
            (declaration.tax_rate, declaration.net_mass, declaration.item_price),
            (Some(8.0), None, Some(12.5))
        );
        assert_eq!(declaration.origin_indicator, "b");
    }

    #[test]
    fn an_odd_file_is_refused_with_line_and_mend() {
        let cases = [
            (sample("much,1,1,2020-01-03,1"), "line 2", "Tax Rate \"much\" is no number"),
            (sample("8,1,1,soon,1"), "line 2", "Date \"soon\""),
            (sample("8,1,1,2020-01-03,perhaps"), "line 2", "0 or 1 is wanted"),
            ("a,b\n1,2\n".to_owned(), "no column Office ID", "give a CSV with these columns"),
            (COLUMNS.join(","), "it has no declarations", ""),
            (sample("1"), "no sound CSV", ""),
        ];
        for (text, first, second) in cases {
            let file = file(&text);
            let words = format!("{:#}", read(file.path()).unwrap_err());
            assert!(words.contains(first) && words.contains(second), "{words}");
            assert!(words.contains(file.path().to_str().unwrap()), "{words}");
        }
        let words = format!("{:#}", read(Path::new("/nowhere.csv")).unwrap_err());
        assert!(words.contains("/nowhere.csv") && words.contains("give a CSV"), "{words}");
    }
}
