//! The programs of PostgreSQL's client. A command line can be read by everybody on the machine, so that no password stands there:
//! a program is given it in its environment, which only its owner reads.

use std::path::Path;
use std::process::Command;

use super::BackupError;

/// Run one on a database, with these words and a file after them.
pub(super) fn run(name: &'static str, words: &[&str], file: &Path, url: &str) -> Result<(), BackupError> {
    let failed = |why: String| BackupError::Program { program: name, why };
    let output = command(name, words, file, url).output();
    let output = output.map_err(|e| failed(format!("{e}; install postgresql-client")))?;
    if output.status.success() {
        Ok(())
    } else {
        Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
    }
}

fn command(name: &str, words: &[&str], file: &Path, url: &str) -> Command {
    let (open, password) = apart(url);
    let mut command = Command::new(name);
    command.arg("--dbname").arg(open).args(words).arg(file);
    if let Some(password) = password {
        command.env("PGPASSWORD", password);
    }
    command
}

/// An address without its password, and the password: between the user's name and the host, or among the parameters.
pub(super) fn apart(url: &str) -> (String, Option<String>) {
    let (before, parameters) = url.split_once('?').map_or((url, None), |(url, more)| (url, Some(more)));
    let mut password = None;
    let mut open = before.to_owned();
    if let Some((scheme, rest)) = before.split_once("://") {
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if let Some((user, secret, host)) = authority
            .rsplit_once('@')
            .and_then(|(user, host)| user.split_once(':').map(|(user, secret)| (user, secret, host)))
        {
            password = Some(decoded(secret));
            open = format!("{scheme}://{user}@{host}{path}");
        }
    }
    let (secret, public): (Vec<&str>, Vec<&str>) =
        parameters.into_iter().flat_map(|p| p.split('&')).partition(|p| p.starts_with("password="));
    if let Some(secret) = secret.last().and_then(|p| p.strip_prefix("password=")) {
        password = Some(decoded(secret));
    }
    if !public.is_empty() {
        open = format!("{open}?{}", public.join("&"));
    }
    (open, password)
}

/// A text without the escapes of an address.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let escaped = after
            .get(..2)
            .filter(|_| *first == b'%')
            .and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        rest = if escaped.is_some() { &after[2..] } else { after };
        bytes.push(escaped.unwrap_or(*first));
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_parted_from_its_password() {
        for (url, open, password) in [
            ("postgres://clear@host/db", "postgres://clear@host/db", None),
            ("postgres://clear:s%40e%2Fc@host:5/db", "postgres://clear@host:5/db", Some("s@e/c")),
            ("postgres://clear:p@ss@host/db", "postgres://clear@host/db", Some("p@ss")),
            ("postgres://c@%2Frun/db?sslmode=require", "postgres://c@%2Frun/db?sslmode=require", None),
            ("postgres://c@h/db?password=x%25&user=c", "postgres://c@h/db?user=c", Some("x%")),
            ("postgres://c@h/db?password=x", "postgres://c@h/db", Some("x")),
            ("postgres://c:100%@h", "postgres://c@h", Some("100%")),
        ] {
            assert_eq!(apart(url), (open.to_owned(), password.map(str::to_owned)), "{url}");
        }
    }

    #[test]
    fn no_password_stands_on_a_command_line() {
        let url = "postgres://clear:hunter2@host/db?password=hunter2";
        let command = command("pg_dump", &["--format=custom", "--file"], Path::new("copy"), url);
        let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy().into_owned()).collect();
        assert_eq!(words, ["--dbname", "postgres://clear@host/db", "--format=custom", "--file", "copy"]);
        let (name, value) = command.get_envs().next().unwrap();
        assert_eq!((name.to_str(), value.and_then(|v| v.to_str())), (Some("PGPASSWORD"), Some("hunter2")));
    }
}
