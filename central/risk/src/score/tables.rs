//! What was learnt of earlier declarations: the bundle's `tables.bin`, in memory as it lies on disk.

use sha2::{Digest as _, Sha256};

const MAGIC: &[u8; 8] = b"RISKTAB1";

/// Outcomes of the declarations with one key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) count: u16,
    pub(crate) frauds: u16,
}

/// Sorted by key; looked up by halving.
pub(crate) type Table<T> = Vec<(u64, T)>;

/// All tables of a bundle, in the order of the manifest.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tables {
    pub(crate) records: Vec<Table<Record>>,
    pub(crate) usual: Vec<Table<f64>>,
}

/// The first 8 bytes of a key's SHA-256.
pub(crate) fn digest(key: &str) -> u64 {
    let full: [u8; 32] = Sha256::digest(key.as_bytes()).into();
    let [a, b, c, d, e, f, g, h, ..] = full;
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

/// What a table holds for a key.
pub(crate) fn find<T: Copy>(table: &[(u64, T)], key: u64) -> Option<T> {
    table.binary_search_by_key(&key, |row| row.0).ok().and_then(|at| table.get(at)).map(|row| row.1)
}

impl Tables {
    /// Read the form that `bundle.py` writes; the error says what is wrong.
    pub(crate) fn parse(raw: &[u8]) -> Result<Self, String> {
        let mut rest = raw.strip_prefix(MAGIC).ok_or("it does not begin with RISKTAB1")?;
        let records = group(&mut rest, |[a, b, c, d]: [u8; 4]| Record {
            count: u16::from_le_bytes([a, b]),
            frauds: u16::from_le_bytes([c, d]),
        })?;
        let usual = group(&mut rest, f64::from_le_bytes)?;
        if !rest.is_empty() {
            return Err(format!("{} bytes follow its last table", rest.len()));
        }
        if records.iter().flatten().any(|(_, r)| r.frauds > r.count) {
            return Err("a record has more frauds than declarations".to_owned());
        }
        if usual.iter().flatten().any(|(_, m)| !m.is_finite() || *m <= 0.0) {
            return Err("a usual value is not above 0".to_owned());
        }
        Ok(Self { records, usual })
    }
}

fn group<const N: usize, T>(rest: &mut &[u8], value: impl Fn([u8; N]) -> T) -> Result<Vec<Table<T>>, String> {
    let tables = length(rest)?;
    (0..tables).map(|_| table(rest, &value)).collect()
}

fn table<const N: usize, T>(rest: &mut &[u8], value: &impl Fn([u8; N]) -> T) -> Result<Table<T>, String> {
    let rows = length(rest)?;
    // Rows are taken as they come, so that a length that lies reserves nothing.
    let mut table: Table<T> = Vec::new();
    for _ in 0..rows {
        let key = u64::from_le_bytes(take(rest)?);
        if table.last().is_some_and(|last| last.0 >= key) {
            return Err("its keys do not rise".to_owned());
        }
        table.push((key, value(take(rest)?)));
    }
    Ok(table)
}

fn length(rest: &mut &[u8]) -> Result<usize, String> {
    take(rest).map(|bytes| u32::from_le_bytes(bytes) as usize)
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], String> {
    let (head, tail) = rest.split_first_chunk::<N>().ok_or("it ends too early")?;
    *rest = tail;
    Ok(*head)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<u8> {
        let mut raw = MAGIC.to_vec();
        raw.extend(1_u32.to_le_bytes());
        raw.extend(2_u32.to_le_bytes());
        for (key, count, frauds) in [(1_u64, 3_u16, 1_u16), (9, 4, 4)] {
            raw.extend(key.to_le_bytes());
            raw.extend(count.to_le_bytes());
            raw.extend(frauds.to_le_bytes());
        }
        raw.extend(0_u32.to_le_bytes());
        raw
    }

    #[test]
    fn a_table_is_read_and_found_in() {
        let tables = Tables::parse(&sample()).unwrap();
        assert_eq!(find(&tables.records[0], 9), Some(Record { count: 4, frauds: 4 }));
        assert_eq!(find(&tables.records[0], 5), None);
    }

    #[test]
    fn every_cut_is_refused() {
        let raw = sample();
        for length in 0..raw.len() {
            assert!(Tables::parse(&raw[..length]).is_err(), "{length} bytes");
        }
        let mut longer = raw;
        longer.push(0);
        assert!(Tables::parse(&longer).unwrap_err().contains("follow"));
    }

    #[test]
    fn a_length_that_lies_takes_no_memory() {
        let mut raw = MAGIC.to_vec();
        raw.extend(u32::MAX.to_le_bytes());
        assert!(Tables::parse(&raw).is_err());
    }
}
