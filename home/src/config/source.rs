//! Where settings come from: lines of a file and `--set` flags, both as [`Setting`]s.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Where something was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// On this line of this file.
    Line(PathBuf, usize),
    /// In this file, as a whole.
    File(PathBuf),
    /// By this `--set`.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(file, line) => write!(f, "{}, line {line}", file.display()),
            Self::File(file) => write!(f, "{}", file.display()),
            Self::Flag(text) => write!(f, "--set {text}"),
        }
    }
}

/// Why a configuration cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{origin}: {problem}")]
pub struct ConfigError {
    /// Where.
    pub origin: Origin,
    /// What is wrong, with the key's name and the remedy.
    pub problem: String,
}

impl ConfigError {
    pub(super) fn new(origin: Origin, problem: impl Into<String>) -> Self {
        Self { origin, problem: problem.into() }
    }
}

/// One key and what it is set to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Setting {
    /// Such as `rules.difficulty`.
    pub(super) key: String,
    pub(super) value: Value,
    pub(super) origin: Origin,
}

/// A value as far as any key takes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    /// A whole number; `None` if it leaves 64 bits.
    Number(Option<i64>),
    Truth(bool),
    List(Vec<Value>),
    /// A float, a date, a table.
    Other(&'static str),
    /// What a flag says without quotes, beside what it reads as: keys that take a text take it.
    Bare(String, Box<Value>),
}

/// The settings of a file, in order of their lines.
pub(super) fn read_file(path: &Path) -> Result<Vec<Setting>, ConfigError> {
    let text = fs::read_to_string(path).map_err(|error| {
        let problem = format!("cannot read this file ({error}); name another by --config FILE");
        ConfigError::new(Origin::File(path.to_owned()), problem)
    })?;
    parse_file(&text, path)
}

/// The settings of a file's text, in order of their lines.
pub(super) fn parse_file(text: &str, path: &Path) -> Result<Vec<Setting>, ConfigError> {
    let at = |position: usize| {
        let line = 1 + text.bytes().take(position).filter(|&byte| byte == b'\n').count();
        Origin::Line(path.to_owned(), line)
    };
    let document = DeTable::parse(text).map_err(|error| {
        let origin = at(error.span().map_or(0, |span| span.start));
        ConfigError::new(origin, format!("not valid TOML: {}", error.message()))
    })?;
    let mut settings = Vec::new();
    for (section, content) in document.get_ref() {
        let DeValue::Table(table) = content.get_ref() else {
            settings.push((section.span().start, section.get_ref().to_string(), content));
            continue;
        };
        for (key, value) in table {
            let key = (key.span().start, format!("{}.{}", section.get_ref(), key.get_ref()));
            settings.push((key.0, key.1, value));
        }
    }
    settings.sort_unstable_by_key(|(position, ..)| *position);
    let setting = |(position, key, value): (usize, String, &Spanned<DeValue<'_>>)| Setting {
        key,
        value: Value::of(value.get_ref()),
        origin: at(position),
    };
    Ok(settings.into_iter().map(setting).collect())
}

/// The setting of a flag `KEY=VALUE`, where VALUE is read as TOML if it can be, else as a text.
pub(super) fn parse_flag(flag: &str) -> Result<Setting, ConfigError> {
    let origin = Origin::Flag(flag.to_owned());
    let Some((key, text)) = flag.split_once('=') else {
        let problem = "write KEY=VALUE, such as --set rules.difficulty=18";
        return Err(ConfigError::new(origin, problem));
    };
    let value = match DeValue::parse(text) {
        Ok(value) => match Value::of(value.get_ref()) {
            quoted @ Value::Text(_) => quoted,
            other => Value::Bare(text.to_owned(), Box::new(other)),
        },
        Err(_) => Value::Text(text.to_owned()),
    };
    Ok(Setting { key: key.trim().to_owned(), value, origin })
}

impl Value {
    fn of(value: &DeValue<'_>) -> Self {
        match value {
            DeValue::String(text) => Self::Text(text.to_string()),
            DeValue::Integer(digits) => {
                Self::Number(i64::from_str_radix(digits.as_str(), digits.radix()).ok())
            }
            DeValue::Boolean(truth) => Self::Truth(*truth),
            DeValue::Array(items) => {
                Self::List(items.iter().map(|item| Self::of(item.get_ref())).collect())
            }
            DeValue::Float(_) => Self::Other("a number with a point"),
            DeValue::Datetime(_) => Self::Other("a date or time"),
            DeValue::Table(_) => Self::Other("a table"),
        }
    }

    /// The value without a flag's text.
    pub(super) fn typed(&self) -> &Self {
        match self {
            Self::Bare(_, value) => value,
            value => value,
        }
    }
}

impl fmt::Display for Value {
    /// As an error's sentence names it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "the text {text:?}"),
            Self::Number(Some(number)) => write!(f, "{number}"),
            Self::Number(None) => write!(f, "a number of more than 64 bits"),
            Self::Truth(truth) => write!(f, "{truth}"),
            Self::List(_) => write!(f, "a list"),
            Self::Other(what) => write!(f, "{what}"),
            Self::Bare(text, _) => write!(f, "{text}"),
        }
    }
}
