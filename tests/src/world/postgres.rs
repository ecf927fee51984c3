//! A PostgreSQL server for as long as a test runs.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// A server with an empty database; it listens on a socket in its own folder only.
pub struct Postgres {
    programs: PathBuf,
    folder: TempDir,
}

impl Postgres {
    /// Start one, or say why none can be started.
    pub fn start() -> Result<Self, String> {
        let programs = std::fs::read_dir("/usr/lib/postgresql")
            .map_err(|_| "install postgresql: /usr/lib/postgresql is not there".to_owned())?
            .filter_map(Result::ok)
            .map(|version| version.path().join("bin"))
            .find(|bin| bin.join("initdb").exists())
            .ok_or("install postgresql: there is no initdb")?;
        let folder = TempDir::new().map_err(|e| e.to_string())?;
        let server = Self { programs, folder };
        server.own()?;
        let data = server.data();
        server.run(
            "initdb",
            &["-D", &data, "--locale=C.UTF-8", "--encoding=UTF8", "--auth=trust", "-U", "clearlane"],
        )?;
        let options =
            format!("-c listen_addresses= -c unix_socket_directories={}", server.folder.path().display());
        let log = server.folder.path().join("log").display().to_string();
        server.run("pg_ctl", &["-D", &data, "-o", &options, "-l", &log, "-w", "start"])?;
        Ok(server)
    }

    /// Its address.
    pub fn url(&self) -> String {
        let folder = self.folder.path().to_string_lossy().replace('/', "%2F");
        format!("postgres://clearlane@{folder}/postgres")
    }

    /// One more database of this server, empty; gives its address.
    #[allow(dead_code, reason = "not every test needs another")]
    pub fn another(&self, name: &str) -> Result<String, String> {
        let folder = self.folder.path().display().to_string();
        self.run("createdb", &["-h", &folder, "-U", "clearlane", name])?;
        Ok(self.url().replace("/postgres", &format!("/{name}")))
    }

    fn data(&self) -> String {
        self.folder.path().join("data").display().to_string()
    }

    /// The server refuses to run as root, so that its folder is given to the account that the package made.
    fn own(&self) -> Result<(), String> {
        if !is_root() {
            return Ok(());
        }
        done("chown", Command::new("chown").arg("postgres").arg(self.folder.path()).output())
    }

    fn run(&self, program: &str, words: &[&str]) -> Result<(), String> {
        let path = self.programs.join(program);
        let mut command = if is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(path);
            command
        } else {
            Command::new(path)
        };
        // Its output goes nowhere: the server would hold the test's own open.
        let command = command.args(words).current_dir(Path::new("/"));
        let status = command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).status();
        match status {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("{program}: {status}")),
            Err(error) => Err(format!("{program}: {error}")),
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let _ = self.run("pg_ctl", &["-D", &self.data(), "-m", "immediate", "-w", "stop"]);
    }
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}

fn done(what: &str, output: std::io::Result<Output>) -> Result<(), String> {
    let output = output.map_err(|e| format!("{what}: {e}"))?;
    if output.status.success() {
        Ok(())
    } else {
        Err(format!("{what}: {}", String::from_utf8_lossy(&output.stderr)))
    }
}
