//! A table of bytes in LMDB: what the directive cache is compared with. Used by the benchmark alone.

use std::path::Path;

use heed::types::Bytes;
use heed::{Database, Env, EnvOpenOptions};

/// An environment with one table.
pub struct Table {
    environment: Env,
    table: Database<Bytes, Bytes>,
}

impl Table {
    /// A new one in `folder`, which exists and holds no other; at most 2 GiB.
    ///
    /// # Errors
    /// What LMDB says.
    pub fn create(folder: &Path) -> heed::Result<Self> {
        let mut options = EnvOpenOptions::new();
        options.map_size(2 << 30);
        // SAFETY: the file is ours alone: made here, in a folder of this run, and changed by no other process.
        let environment = unsafe { options.open(folder)? };
        let mut write = environment.write_txn()?;
        let table = environment.create_database(&mut write, None)?;
        write.commit()?;
        Ok(Self { environment, table })
    }

    /// Put these, in one durable transaction.
    ///
    /// # Errors
    /// What LMDB says.
    pub fn fill(&self, rows: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>) -> heed::Result<()> {
        let mut write = self.environment.write_txn()?;
        for (key, value) in rows {
            self.table.put(&mut write, &key, &value)?;
        }
        write.commit()
    }

    /// The value of a key, in a transaction of its own.
    ///
    /// # Errors
    /// What LMDB says.
    pub fn get(&self, key: &[u8]) -> heed::Result<Option<Vec<u8>>> {
        let read = self.environment.read_txn()?;
        Ok(self.table.get(&read, key)?.map(<[u8]>::to_vec))
    }
}
