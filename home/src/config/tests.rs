use super::*;

/// The file at the top of the repository.
const SHIPPED: &str = include_str!("../../../config.toml");

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, Path::new("my.toml"))
}

/// The configuration of a file that is not there, and these flags.
fn with_flags(flags: &[&str]) -> Result<Config, ConfigError> {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("empty.toml");
    std::fs::write(&config, "").expect("written");
    let set = flags.iter().map(|&flag| flag.to_owned()).collect();
    Config::load(&CommonArgs { config: Some(config), set, ..CommonArgs::default() })
}

#[test]
fn the_shipped_file_is_the_built_in_default() {
    assert_eq!(parse(SHIPPED), Ok(Config::default()));
    assert_eq!(parse(""), Ok(Config::default()));
}

#[test]
fn the_shipped_file_has_every_key_with_a_comment() {
    let settings = source::parse_file(SHIPPED, Path::new("config.toml")).expect("valid");
    let names: Vec<_> = settings.iter().map(|setting| setting.key.clone()).collect();
    let known: Vec<_> = keys::KEYS
        .iter()
        .flat_map(|(section, keys)| keys.iter().map(move |key| format!("{section}.{key}")))
        .collect();
    assert_eq!(names, known);
    let lines: Vec<_> = SHIPPED.lines().collect();
    for (index, line) in lines.iter().enumerate().filter(|(_, line)| line.contains(" = ")) {
        if !line.starts_with('#') {
            assert!(lines[index - 1].starts_with('#'), "no comment above: {line}");
        }
    }
}

#[test]
fn every_key_can_be_set_by_file_and_flag() {
    let values = [
        ("rules.name", "\"other\""),
        ("rules.difficulty", "8"),
        ("rules.block_interval_seconds", "0"),
        ("rules.half_life_seconds", "7"),
        ("rules.min_block_wait_seconds", "7"),
        ("rules.block_reward", "\"2.5\""),
        ("rules.reward_maturity", "7"),
        ("rules.max_block_bytes", "5000"),
        ("ports.status", "0"),
        ("ports.blocks", "0"),
        ("ports.transactions", "0"),
        ("intervals.status_seconds", "1"),
        ("intervals.transaction_seconds", "1"),
        ("network.lan", "true"),
        ("network.peers", "[\"a:1\", \"[::1]:2\"]"),
        ("miner.threads", "1"),
        ("miner.reward_to", "\"alice\""),
        ("mempool.max_payments", "100"),
        ("mempool.max_bytes", "100000"),
        ("mempool.max_per_account", "32"),
        ("mempool.max_ahead", "8"),
        ("mempool.expiry_seconds", "60"),
        ("mempool.min_fee", "\"0.1\""),
    ];
    for (key, value) in values {
        let by_file = parse(&format!("{key} = {value}")).expect(key);
        let by_flag = with_flags(&[&format!("{key}={value}")]).expect(key);
        assert_eq!(by_file, by_flag, "{key}");
        assert_ne!(by_file, Config::default(), "{key}");
    }
}

#[test]
fn flags_beat_the_file_and_need_no_quotes() {
    let config = with_flags(&[
        "rules.difficulty=9",
        "rules.difficulty=8",
        "rules.name=classroom",
        "rules.block_reward=2.5",
        "mempool.min_fee=1",
        "miner.reward_to=7",
    ])
    .expect("valid");
    let rules = config.network().rules();
    assert_eq!((rules.difficulty, rules.name.as_str()), (8, "classroom"));
    assert_eq!(rules.block_reward.to_string(), "2.500000");
    assert_eq!(config.mempool.min_fee.to_string(), "1.000000");
    assert_eq!(config.miner.reward_to, "7");
}

#[test]
fn behaviour_53_each_refusal_names_line_key_and_remedy() {
    let cases = [
        ("\n[rules]\ndificulty = 8", 3, "rules.dificulty; the keys of [rules] are name, diff"),
        ("[rule]\ndifficulty = 8", 2, "rule.difficulty; the sections are [rules], [ports],"),
        ("difficulty = 8", 1, "unknown key difficulty; did you mean rules.difficulty?"),
        ("x = 1", 1, "unknown key x; the sections are"),
        ("[rules]\n\ndifficulty = \"8\"", 3, "is the text \"8\"; set it to a whole number from 0"),
        (
            "[rules]\ndifficulty = 129",
            2,
            "difficulty is 129; set it to a whole number from 0 to 128",
        ),
        ("[rules]\ndifficulty = -1", 2, "is -1; set it to a whole number"),
        ("[rules]\ndifficulty = 8.5", 2, "is a number with a point; set it"),
        ("[rules]\ndifficulty = 99999999999999999999", 2, "more than 64 bits; set it"),
        ("[rules]\ndifficulty = 8\ndifficulty = 9", 3, "duplicate key"),
        ("[rules]\ndifficulty", 2, "not valid TOML"),
        ("[rules]\nname = \"Big Name\"", 2, "rules.name: \"Big Name\" is not a network name"),
        ("[rules]\nblock_reward = 10", 2, "rules.block_reward is 10; set it to a text in quotes"),
        ("[rules]\nblock_reward = \"1e3\"", 2, "rules.block_reward: \"1e3\" is not an amount"),
        ("[rules]\nblock_reward = \"0\"", 2, "no coin ever comes"),
        ("[rules]\nhalf_life_seconds = 0", 2, "half_life_seconds is 0; set it to about"),
        ("[rules]\nmax_block_bytes = 5", 2, "must be between 864 and 1047552"),
        ("[rules]\nmin_block_transactions = 0", 2, "the fewest is 1"),
        ("[rules]\nmin_block_transactions = 5", 2, "set block_interval_seconds to 0"),
        ("[ports]\nstatus = 65536", 2, "ports.status is 65536; set it to a whole number"),
        ("[ports]\n\nstatus = 2608", 3, "ports.status and ports.transactions are both 2608"),
        ("[ports]\nstatus = 7\ntransactions = 7", 3, "are both 7; give them two different"),
        ("[intervals]\nstatus_seconds = 61", 2, "from 1 to 60"),
        ("[intervals]\ntransaction_seconds = 0", 2, "from 1 to 3600"),
        ("[network]\nlan = 1", 2, "network.lan is 1; set it to true or false"),
        ("[network]\npeers = \"a:1\"", 2, "set it to a list of texts"),
        ("[network]\npeers = [1]", 2, "set it to a list of texts"),
        ("[network]\npeers = [\"a\"]", 2, "write HOST:PORT"),
        ("[network]\npeers = [\"::1:7\"]", 2, "write HOST:PORT"),
        (
            "[miner]\nthreads = -1",
            2,
            "miner.threads is -1; set it to a whole number from 0 to 1024",
        ),
        (
            "[miner]\n\nthreads = \"many\"",
            3,
            "miner.threads is the text \"many\"; set it to a whole",
        ),
        ("[miner]\nthreads = 1.5", 2, "miner.threads is a number with a point; set it to a whole"),
        ("[miner]\nthreads = 1025", 2, "miner.threads is 1025; set it to a whole number from 0"),
        ("[mempool]\nmax_per_account = 8", 2, "mempool.max_ahead is 16, more than the 8"),
        ("[mempool]\nmax_ahead = 65", 2, "mempool.max_ahead is 65, more than the 64"),
        ("[mempool]\nmax_payments = 0", 2, "from 1 to"),
        ("[mempool]\nmax_bytes = 671", 2, "from 672 to"),
        ("[mempool.max_bytes]\na = 1", 1, "mempool.max_bytes is a table"),
    ];
    for (text, line, problem) in cases {
        let error = parse(text).expect_err(text);
        assert_eq!(error.origin, Origin::Line("my.toml".into(), line), "{text}: {error}");
        assert!(error.problem.contains(problem), "{text}: {error}");
        assert!(error.to_string().starts_with(&format!("my.toml, line {line}: ")), "{error}");
    }
}

#[test]
fn waiting_for_payments_takes_a_mempool_that_holds_them() {
    let classic = "rules.block_interval_seconds = 0\nrules.min_block_transactions = 66\n";
    let cases = [
        ("", 2, "mempool.max_per_account is 64, and rules.min_block_transactions 66 may need 65"),
        ("mempool.max_per_account = 64", 3, "mempool.max_per_account is 64"),
        ("mempool.max_payments = 64", 3, "mempool.max_payments is 64"),
        ("mempool.max_per_account = 65\nmempool.max_bytes = 40000", 4, "may need 43680"),
    ];
    for (more, line, problem) in cases {
        let error = parse(&format!("{classic}{more}")).expect_err(problem);
        assert_eq!(error.origin, Origin::Line("my.toml".into(), line), "{error}");
        assert!(error.problem.contains(problem), "{error}");
    }
    parse(&format!("{classic}mempool.max_per_account = 65")).expect("room for 65");
}

#[test]
fn a_refused_flag_is_named() {
    for (flag, problem) in [
        ("rules.difficulty", "write KEY=VALUE"),
        ("rules.difficulty=easy", "is the text \"easy\"; set it to a whole number"),
        ("rules.difficulty=1.5", "rules.difficulty is 1.5; set it to a whole number"),
        ("miner.threads=many", "miner.threads is the text \"many\"; set it to a whole number"),
        ("miner.threads=-1", "miner.threads is -1; set it to a whole number from 0 to 1024"),
        ("miner.threads=5000", "miner.threads is 5000; set it to a whole number from 0 to 1024"),
        ("rules=8", "unknown key rules"),
        ("rules.colour=red", "unknown key rules.colour"),
        ("network.peers=[\"a\"]", "write HOST:PORT"),
        ("ports.status=2608", "are both 2608"),
    ] {
        let error = with_flags(&[flag]).expect_err(flag);
        assert_eq!(error.origin, Origin::Flag(flag.to_owned()), "{error}");
        assert!(error.problem.contains(problem), "{error}");
        assert_eq!(Failure::from(error).exit(), Exit::Usage);
    }
}

#[test]
fn a_named_file_must_exist_and_be_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    for path in [folder.path().join("missing.toml"), folder.path().to_owned()] {
        let args = CommonArgs { config: Some(path.clone()), ..CommonArgs::default() };
        let error = Config::load(&args).expect_err("no file");
        assert_eq!(error.origin, Origin::File(path));
        assert!(error.problem.contains("--config FILE"), "{error}");
    }
}

#[test]
fn the_blocks_port_is_set_by_hand_by_flag_or_by_another_value() {
    let port = |config: Result<Config, ConfigError>| config.expect("valid").ports.blocks_port();
    assert_eq!(port(parse("ports.blocks = 2607")), BlocksPort::Preferred(2607));
    assert_eq!(port(parse("ports.blocks = 2707")), BlocksPort::Exactly(2707));
    assert_eq!(port(with_flags(&["ports.blocks=2607"])), BlocksPort::Exactly(2607));
}

#[test]
fn network_flags_add_to_the_file() {
    let config = parse("network.peers = [\"a:1\"]").expect("valid");
    let args = NetworkArgs { lan: true, peers: vec!["b:2".to_owned()] };
    let settings = config.with_network_args(&args).network_settings(None, BlocksPort::None);
    assert!(settings.lan);
    assert_eq!(settings.peers, ["a:1", "b:2"]);
}
