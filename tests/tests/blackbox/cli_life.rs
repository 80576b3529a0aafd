//! A grant's whole life over the command line: every command of the `concord` binary after the contract, what it refuses, and
//! what the audit then finds, as tables, JSON and CSV.
//!
//! In thousand yuan. The grant is of 1000: 600 the lead's, a university of Shenyang, and 400 the partner's, a company of Dalian.
//!
//! | day | what happened | found by 2017-09-01 |
//! |---|---|---|
//! | 04-07 | a rule set aside; approved 1000, contracted | A18 of 1000 |
//! | 04-07 | pledged by the city 120 until 05-31 and 80 until 12-31, of own money 100 until 06-30 | |
//! | 04-07 | tranche 1 of 500 settled: 200 of it are the partner's, within 30 days | |
//! | 04-10 | passed on 150 | A06 of 50 |
//! | 04-10 | the city pays 100 | A03 of 20, and of the 100 own money that never came |
//! | 04-10 | reported: the lead's equipment, 90, accepted; the partner's fine, 10 | A09 of 10 |

mod dismissed;
mod office;

use self::office::{GRANT, LEAD, OTHER, Office, PARTNER, THOUSAND, all};
use concord_tests::desk::{APPLICANT, CLERK, DIRECTOR, REVIEWER};
use concord_tests::stack::Stack;
use std::collections::BTreeMap;

const SHARES: &str = "--share LEAD,university,210102,600000.00 --share PARTNER,enterprise,210200,400000.00";

#[test]
fn a_grants_whole_life_is_typed_and_read() {
    let office = Office(Stack::start_from(Some("2017-03-27")).unwrap());
    awarded(&office);
    let recorded = spent(&office);
    found(&office, recorded);
    charged(&office);
    accepted(&office);
    closed(&office);
    recovered(&office);
    ended_otherwise(&office);
    // What was typed is a log that proves itself, with its stream, projection and answers.
    assert_eq!(office.json("log check")["proved"], true);
}

/// To the contract and the pledges, 2017-04-07.
fn awarded(office: &Office) {
    office.does(
        CLERK,
        "programme appropriate --programme-id PROGRAMME --fund guiding-fund --purpose transformation --year 2017 \
         --amount 10000000.00_CNY --title 成果转化专项",
    );
    office.published(GRANT, "高温合金叶片中试", "2017-12-31", SHARES);
    office.published(OTHER, "海上风电轴承研制", "2019-03-31", "");
    office.does("anybody@public", "grant object GRANT 1 --grounds 与既有项目重复");
    office.does("anybody@public", "grant object OTHER 1 --grounds 预算不实");
    office.until("2017-04-07");
    let approve = "grant approve GRANT=1000000.00_CNY --minutes 会议纪要〔2017〕3号";
    office.refuses(DIRECTOR, approve, "A08_OBJECTION_OPEN");
    office.does(CLERK, "grant reject-objection GRANT 1 --reason 查无实据");
    office.does(CLERK, "grant uphold-objection OTHER 1 --reason 预算须重编");
    office
        .does(DIRECTOR, "grant override GRANT --rule A07 --minutes 会议纪要〔2017〕2号 --reason 省重点项目");
    office.does(DIRECTOR, approve);
    office.does(
        DIRECTOR,
        &format!(
            "grant contract GRANT --number LN-2017-0042 --amount 1000000.00_CNY --starts-on 2017-04-01 --ends-on 2017-12-31 \
             --tranche 500000.00:contract:2017-06-30 --tranche 300000.00:midterm:2017-10-31 \
             --tranche 200000.00:final_acceptance:2018-06-30 {SHARES}"
        ),
    );
    let city = "grant pledge GRANT 1 --kind government_budget --amount 200000.00_CNY --instalment 120000.00:2017-05-31 \
                --instalment 80000.00:2017-12-31 --payer CN-USCC:91110000802100433B,government,210100";
    // Which government pays is a fact that nobody can guess.
    let output = office.types(&format!("--actor {DIRECTOR} {city}"));
    assert!(String::from_utf8_lossy(&output.stderr).contains("level: "), "{output:?}");
    office.does(DIRECTOR, &format!("{city} --level city"));
    office.does(
        DIRECTOR,
        "grant pledge GRANT 2 --kind own_money --amount 100000.00_CNY --instalment 100000.00:2017-06-30",
    );
    let shown = office.grant();
    assert_eq!(
        [&shown["objections"][0]["state"], &shown["overrides"][0]["rule"], &shown["matching"][0]["level"]],
        ["rejected", "A07", "city"],
        "{shown}"
    );
    assert_eq!(
        (&shown["matching"][0]["is_public"], all(&shown["matching"][0]["instalments"]).len()),
        (&true.into(), 2)
    );
    assert_eq!(shown["shares"][1]["allocated_minor"], 400 * THOUSAND, "{shown}");
    assert_eq!(office.json("grant show OTHER")["state"], "admitted");
}

/// Money is paid, passed on and spent, to 2017-04-10. Gives the position of the last event.
fn spent(office: &Office) -> u64 {
    let account = office.0.dir().join("account");
    std::fs::write(&account, "6222 0000 1234").unwrap();
    office.does(
        DIRECTOR,
        &format!("grant verify-payee GRANT --person-id acc-1 --account-file {}", account.display()),
    );
    office.paid(GRANT, 1);
    office.until("2017-04-10");

    let pass_on = |to: &str, thousand: u32| {
        format!("grant pass-on GRANT --to {to} --amount {thousand}000.00_CNY --bank-reference S-1")
    };
    // A code that the grant does not have is found out here, and an id that it does not have by the service.
    let output = office.types(&pass_on("CN-USCC:91110108551385082Q", 1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(64), "{said}");
    assert!(said.contains(LEAD) && said.contains(PARTNER) && said.contains("参与单位"), "{said}");
    office.refuses(APPLICANT, &pass_on(OTHER, 1), "PARTY_UNKNOWN");
    office.refuses(APPLICANT, &pass_on(PARTNER, 401), "SHARE_ABOVE_ALLOCATION");
    office.does(APPLICANT, &pass_on(PARTNER, 150));

    office.does(CLERK, "grant arrive GRANT 1 1 --amount 100000.00_CNY --bank-reference M-1");
    office.refuses(
        CLERK,
        "grant arrive GRANT 1 1 --amount 20000.01_CNY --bank-reference M-2",
        "MATCHING_ABOVE_MISSING",
    );

    office.does(
        APPLICANT,
        "grant report-spend GRANT --spend-id EQUIPMENT --party LEAD --category equipment --spent-on 2017-04-08 \
         --amount 90000.00_CNY --invoice 2100143130,00012345,100000.00 --purpose 试验台",
    );
    office.does(
        APPLICANT,
        "grant report-spend GRANT --spend-id FINE --party PARTNER --category fine --spent-on 2017-04-09 \
         --amount 10000.00_CNY --purpose 滞纳金",
    );
    let recorded = office.does(CLERK, "grant accept-spend GRANT EQUIPMENT");
    let held = [("recipient_unspent", LEAD), ("eligible_spend", LEAD), ("recipient_unspent", PARTNER)];
    assert_eq!(held.map(|(account, code)| office.holds(account, code)), [260, 90, 150]);

    let table = office.prints("grant show GRANT");
    for part in [
        "contracted 执行中",
        &format!("{LEAD} lead 牵头"),
        "1.1 government_budget 财政配套, city 市, public 公共资金",
        "试验台",
        "2100143130 00012345",
        "fine 罚款、滞纳金",
        "reported 已申报 10,000.00 (1), accepted 已核定 90,000.00 (1)",
        "recipient_unspent 单位未用",
        "share_transfer 转拨",
        "A07 超评审意见或完工后立项",
    ] {
        assert!(table.contains(part), "{part} is not in {table}");
    }
    recorded
}

/// What is found by 2017-09-01 in all three formats.
fn found(office: &Office, recorded: u64) {
    let point = format!("--as-of-position {recorded} --min-position {recorded} --on 2017-09-01");
    let page = office.json(&format!("audit findings --all {point}"));
    let seen: Vec<(&str, &str, i64)> = all(&page["findings"])
        .iter()
        .map(|finding| {
            let text = |name: &str| finding[name].as_str().unwrap();
            let key = [text("rule"), ":", text("subject"), "@", &finding["position"].to_string()].concat();
            assert_eq!(text("key"), key);
            assert!(!text("message").is_empty());
            assert!(!text("message_zh").is_ascii() && text("grant_id") == GRANT, "{finding}");
            (text("rule"), text("case"), finding["amount_minor"].as_i64().unwrap() / THOUSAND)
        })
        .collect();
    let expected = [
        ("A18", "override", 1_000),
        ("A03", "overdue", 100),
        ("A06", "withheld", 50),
        ("A03", "overdue", 20),
        ("A09", "category", 10),
    ];
    assert_eq!(seen, expected, "ranked by amount: {page:#}");
    assert_eq!((&page["on"], &page["reflects"]["position"]), (&"2017-09-01".into(), &recorded.into()));
    let groups: BTreeMap<&str, i64> = all(&page["groups"])
        .iter()
        .map(|group| {
            (group["group"][0].as_str().unwrap(), group["amount_minor"].as_i64().unwrap() / THOUSAND)
        })
        .collect();
    assert_eq!(groups, BTreeMap::from([("A03", 120), ("A06", 50), ("A09", 10), ("A18", 1_000)]));

    // Two pages are the same list, and the groups of both are of all.
    let first = office.json(&format!("audit findings --page-size 3 --order rule --by rule,age {point}"));
    let token = first["next_page_token"].as_str().unwrap();
    let second =
        office.json(&format!("audit findings --order rule --by rule,age {point} --page-token {token}"));
    let rules: Vec<&str> = [&first, &second]
        .iter()
        .flat_map(|page| all(&page["findings"]).iter().map(|finding| finding["rule"].as_str().unwrap()))
        .collect();
    assert_eq!(rules, ["A03", "A03", "A06", "A09", "A18"]);
    assert_eq!(first["groups"], second["groups"]);
    assert_eq!(all(&first["groups"][0]["group"]).len(), 2, "{first:#}");

    let table = office.prints(&format!("audit findings --rule A03,A06 {point}"));
    for part in [
        "A03 matching funds never arrive 配套资金未到位",
        "尚欠50,000.00",
        "A06:",
        "counted from 截止日 2017-09-01",
    ] {
        assert!(table.contains(part), "{part} is not in {table}");
    }
    assert!(!table.contains("A09"), "only what was asked for: {table}");
    let nothing = office.prints(&format!("audit findings --rule A16 {point}"));
    assert!(
        nothing.contains("no finding 无发现") && nothing.contains(&format!("fund-grant@{recorded}")),
        "{nothing}"
    );

    let csv = records(&office.prints(&format!("audit findings --csv {point}")));
    let listed: Vec<(&str, i64)> = csv
        .iter()
        .map(|row| (row["rule"].as_str(), row["amount_minor"].parse::<i64>().unwrap() / THOUSAND))
        .collect();
    assert_eq!(listed, expected.map(|(rule, _, amount)| (rule, amount)));
    assert!(csv.iter().all(|row| !row["message_zh"].is_ascii()), "{csv:?}");
    // To a file, which tells what it reflects beside it.
    let file = office.0.dir().join("findings.csv");
    let output = office.types(&format!("audit findings --csv -o {} --rule A09 {point}", file.display()));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains(&format!("fund-grant@{recorded}")) && said.contains("2017-09-01"), "{said}");
    assert_eq!(records(&std::fs::read_to_string(file).unwrap()).len(), 1);

    tested(office, &format!("--as-of-position {recorded} --min-position {recorded}"));
}

/// The control tests in all three formats: one instruction, and nothing before it was missing.
fn tested(office: &Office, point: &str) {
    let answer = office.json(&format!("audit tests --rule A01 {point}"));
    let tests = all(&answer["tests"]);
    assert!(!tests.is_empty() && tests.iter().all(|test| test["rule"] == "A01"), "{answer:#}");
    for test in tests {
        assert_eq!((&test["exceptions"], all(&test["positions"]).len()), (&0.into(), 0), "{test}");
        assert!(!test["result_zh"].as_str().unwrap().is_ascii(), "{test}");
    }
    let contract = tests.iter().find(|test| test["id"] == "A01.contract").unwrap();
    assert_eq!(contract["population"], 1, "{contract}");
    let result = contract["result"].as_str().unwrap();
    assert!(result.starts_with("of 1 instruction"), "{result}");

    let table = office.prints(&format!("audit tests --rule A01 {point}"));
    for part in ["A01.contract", result, contract["result_zh"].as_str().unwrap()] {
        assert!(table.contains(part), "{part} is not in {table}");
    }
    let csv = records(&office.prints(&format!("audit tests --rule A01 --csv {point}")));
    let listed: Vec<(&str, &str)> =
        csv.iter().map(|row| (row["test"].as_str(), row["exceptions"].as_str())).collect();
    let told: Vec<(&str, &str)> = tests.iter().map(|test| (test["id"].as_str().unwrap(), "0")).collect();
    assert_eq!(listed, told);
    let output = office.types("audit tests --csv --json");
    assert_eq!(output.status.code(), Some(64), "{output:?}");
}

/// Somebody is charged with two findings: one is explained and put right, the other is none.
fn charged(office: &Office) {
    office.until("2017-09-01");
    let page = office.json("audit findings --all --rule A03,A09 --on 2017-09-01");
    let key = |amount: i64| {
        let mut findings = all(&page["findings"]).iter();
        let finding = findings.find(|finding| finding["amount_minor"] == amount * THOUSAND).unwrap();
        finding["key"].as_str().unwrap().to_owned()
    };
    let assigned = |key: &str| {
        let line = format!(
            "--actor {CLERK} rectification assign {key} --grant GRANT --owner shenyang-finance --deadline 2017-09-30 \
             --task 催缴配套资金"
        );
        office.json(&line)["rectification_id"].as_str().unwrap().to_owned()
    };
    let (late, fine) = (assigned(&key(20)), assigned(&key(10)));
    office.does("he@shenyang-finance", &format!("rectification explain {late} --explanation 预算下达较晚"));
    office.does(CLERK, &format!("rectification rectify {late} --evidence 进账单B-7"));
    let shown = office.json(&format!("rectification show {late}"));
    assert_eq!(
        (&shown["state"], &shown["finding"]["key"], &shown["evidence"]),
        (&"rectified".into(), &key(20).into(), &"进账单B-7".into()),
        "{shown}"
    );
    let decided = office.does(
        DIRECTOR,
        &format!("rectification dismiss {fine} --minutes 会议纪要〔2017〕9号 --reason 科目录入有误"),
    );
    let listed = |options: &str| {
        let line = format!("audit findings --all --rule A03,A09 --min-position {decided} {options}");
        let page = office.json(&line);
        let states = all(&page["findings"]).iter();
        states.map(|finding| finding["rectification_state"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(listed(""), ["", "rectified"], "what was dismissed is no finding");
    assert_eq!(listed("--include-dismissed"), ["", "rectified", "dismissed"]);
    let table = office.prints(&format!("rectification show {fine}"));
    assert!(table.contains("dismissed 不成立") && table.contains(&key(10)), "{table}");
    // An explanation that holds ends a third one.
    let own = assigned(&key(100));
    office.does("he@shenyang-finance", &format!("rectification explain {own} --explanation 已签补充协议"));
    office.does(
        DIRECTOR,
        &format!("rectification accept {own} --minutes 会议纪要〔2017〕9号 --reason 情况属实"),
    );
    assert_eq!(office.json(&format!("rectification show {own}"))["state"], "accepted");
}

/// Amended, extended, checked, and accepted at the second attempt; to 2018-02-20.
fn accepted(office: &Office) {
    office.does(CLERK, "grant disallow-spend GRANT FINE --reason 罚款不得列支");
    office.does(CLERK, "grant arrive GRANT 1 1 --amount 20000.00_CNY --bank-reference M-2");
    office.does(CLERK, "grant arrive GRANT 2 1 --amount 90000.00_CNY --bank-reference M-3");
    office.does(CLERK, "grant release GRANT 2 --reason 自筹减少 --minutes 会议纪要〔2017〕9号");
    let amend = "grant amend GRANT --tranche 500000.00:contract:2017-06-30 --tranche 270000.00:midterm:2017-10-31 \
                 --tranche 180000.00:final_acceptance:2018-06-30 --minutes 变更〔2017〕1号";
    let shares = "--share LEAD,university,210102,570000.00 --share PARTNER,enterprise,210200,380000.00";
    office.does(DIRECTOR, &format!("{amend} --amount 950000.00_CNY {shares}"));
    office.does(DIRECTOR, "grant extend GRANT --ends-on 2018-01-31 --minutes 延期〔2017〕1号");
    office.does(CLERK, "grant midterm GRANT --failed --report 中期〔2017〕1号");
    office.does(CLERK, "grant midterm GRANT --passed --report 中期〔2017〕2号");
    office.paid(GRANT, 2);
    office.does(APPLICANT, "grant pass-on GRANT --to PARTNER --amount 158000.00_CNY --bank-reference S-2");
    office.until("2018-02-20");
    office.does(APPLICANT, "grant complete GRANT --report 完成报告1");
    office.does(DIRECTOR, "grant accept rectify GRANT --by 2018-03-31 --minutes 验收〔2018〕1号");
    office.does(APPLICANT, "grant complete GRANT --report 完成报告2");
    office.does(DIRECTOR, "grant accept passed GRANT --minutes 验收〔2018〕2号");
    let shown = office.grant();
    assert_eq!(
        [&shown["state"], &shown["final_acceptance"]["outcome"], &shown["completion_report"]],
        ["finally_accepted", "passed", "完成报告2"],
        "{shown}"
    );
    assert_eq!(
        (&shown["midterm"]["passed"], &shown["amendments"], &shown["extensions"]),
        (&true.into(), &1.into(), &1.into())
    );
    assert_eq!(shown["contracted_minor"], 950 * THOUSAND);
}

/// Balances, a correction, and the end; on 2018-02-20.
fn closed(office: &Office) {
    // The lead holds 260 + 270 − 158, the partner 150 + 158.
    assert_eq!(["recipient_unspent"; 2].map(|account| office.holds(account, LEAD)), [372; 2]);
    assert_eq!(office.holds("recipient_unspent", PARTNER), 308);
    let refund = |thousand: u32, reference: &str| {
        format!(
            "grant refund GRANT --amount {thousand}000.00_CNY --party PARTNER --bank-reference {reference}"
        )
    };
    let wrong = office.does(CLERK, &refund(30, "R-1"));
    office.refuses(CLERK, &refund(300, "R-2"), "REFUND_ABOVE_BALANCE");
    let correct = format!("grant correct GRANT {wrong} --reason 金额录错");
    assert_eq!(office.types(&correct).status.code(), Some(64), "nothing is corrected without a document");
    office.does(DIRECTOR, &format!("{correct} --authority 更正〔2018〕1号"));
    office.does(CLERK, &refund(300, "R-2"));
    let facts = office.grant()["facts"].clone();
    let corrected = all(&facts).iter().find(|fact| fact["position"] == wrong).unwrap();
    assert_eq!(
        (&corrected["kind"], &corrected["correction"]["authority"]),
        (&"balance_refund".into(), &"更正〔2018〕1号".into())
    );

    office.does(DIRECTOR, "grant retain GRANT --amount 72000.00_CNY --minutes 留用〔2018〕1号");
    office.does(CLERK, "grant refund GRANT --amount 2000.00_CNY --from retained --bank-reference R-3");
    let kept = [("retained_by_rule", LEAD), ("recipient_unspent", LEAD), ("recipient_unspent", PARTNER)];
    assert_eq!(kept.map(|(account, code)| office.holds(account, code)), [70, 300, 8]);

    // Part of the balance goes on in the other project; the last tranche was never asked for, and its money goes back.
    office.does(REVIEWER, "grant review OTHER --score 80 --ceiling 800000.00_CNY");
    office.does(CLERK, "grant publish OTHER --amount 800000.00_CNY");
    office.until("2018-03-15");
    office.does(DIRECTOR, "grant approve OTHER=800000.00_CNY --minutes 会议纪要〔2018〕3号");
    office.does(
        DIRECTOR,
        "grant contract OTHER --number LN-2018-0007 --amount 800000.00_CNY --starts-on 2018-04-01 --ends-on 2019-03-31 \
         --tranche 480000.00:contract:2018-04-30 --tranche 320000.00:final_acceptance:2019-09-30 \
         --share LEAD,university,210102,800000.00",
    );
    office.does(
        DIRECTOR,
        "grant transfer-balance GRANT --to OTHER --amount 200000.00_CNY --minutes 会议纪要〔2018〕4号",
    );
    let close = "grant close GRANT --minutes 结题〔2018〕2号";
    office.refuses(DIRECTOR, close, "A10_UNSPENT_WITHOUT_DISPOSITION");
    office.does(DIRECTOR, &format!("{close} --refund-by 2018-04-10"));
    office.does(DIRECTOR, "grant evaluate GRANT --grade good --score 86.5 --minutes 绩效〔2018〕1号");
    let table = office.prints("grant show GRANT");
    for part in
        ["evaluated 已绩效评价", "good 良好, 86.50 (绩效〔2018〕1号)", "2018-04-10", "留用〔2018〕1号"]
    {
        assert!(table.contains(part), "{part} is not in {table}");
    }
}

/// Three recoveries: one appealed against in vain and offset, one overturned, one given up.
fn recovered(office: &Office) {
    let disallowed =
        office.json(&format!("--actor {CLERK} grant disallow-spend GRANT EQUIPMENT --reason 与项目无关"));
    let first = disallowed["recovery_id"].as_str().unwrap();
    let demanded = office.json(&format!("--actor {CLERK} recovery demand {first} --number 追缴〔2018〕1号"));
    assert_eq!(demanded["due_on"], "2018-04-14");
    office.does(APPLICANT, &format!("recovery appeal {first} --grounds 设备仍在使用"));
    office.does(DIRECTOR, &format!("recovery uphold {first} --reason 维持原决定"));
    let paid =
        office.does(CLERK, &format!("recovery repay {first} --amount 40000.00_CNY --bank-reference Q-1"));
    office.until("2018-07-20");
    let account = office.0.dir().join("account");
    office.does(
        DIRECTOR,
        &format!("grant verify-payee OTHER --person-id acc-1 --account-file {}", account.display()),
    );
    office.authorised(OTHER, 1);
    office.does(CLERK, &format!("recovery offset {first} --amount 50000.00_CNY --against OTHER --tranche 1"));
    let shown = office.json(&format!("recovery show {first}"));
    assert_eq!((&shown["state"], &shown["outstanding_minor"]), (&"offset".into(), &0.into()), "{shown}");
    assert_eq!(
        (&shown["receipts"][0]["position"], &shown["receipts"][1]["against_grant_id"]),
        (&paid.into(), &OTHER.into())
    );
    assert_eq!(office.json("grant show OTHER")["tranches"][0]["offset_minor"], 50 * THOUSAND);

    let determine =
        "recovery determine GRANT --cause balance_kept --minutes 会议纪要〔2018〕8号 --reason 结余逾期未退";
    let second = office.json(&format!("--actor {DIRECTOR} {determine} --take PARTNER,unspent,8000.00"));
    let second = second["recovery_id"].as_str().unwrap().to_owned();
    office.does(CLERK, &format!("recovery demand {second} --number 追缴〔2018〕2号"));
    office.does(APPLICANT, &format!("recovery appeal {second} --grounds 已退回"));
    office.does(DIRECTOR, &format!("recovery overturn {second} --reason 情况属实"));

    let both = "--recovery-id RECOVERY --take PARTNER,unspent,8000.00 --take LEAD,retained,70000.00";
    office.does(DIRECTOR, &format!("{determine} {both}"));
    office.does(CLERK, "recovery demand RECOVERY --number 追缴〔2018〕3号");
    office.refuses(
        CLERK,
        "recovery repay RECOVERY --amount 78000.01_CNY --bank-reference Q-2",
        "REPAYMENT_ABOVE_OUTSTANDING",
    );
    office.does(DIRECTOR, "recovery write-off RECOVERY --minutes 会议纪要〔2018〕9号 --reason 单位已注销");
    let table = office.prints("recovery show RECOVERY");
    for part in ["written_off 已核销", "retained 留用", "78,000.00 CNY"] {
        assert!(table.contains(part), "{part} is not in {table}");
    }
    let table = office.prints("grant show GRANT");
    for part in ["offset 已抵扣", "overturned 已撤销", "written_off 已核销", "spend_disallowed 支出审减"]
    {
        assert!(table.contains(part), "{part} is not in {table}");
    }
    assert_eq!(all(&office.grant()["recovery_ids"]).len(), 3);
}

/// The other ends: a failed acceptance, a termination, a cancellation.
fn ended_otherwise(office: &Office) {
    office.does(APPLICANT, "grant complete OTHER --report 完成报告");
    // What was offset against its tranche counts as paid, so the bank pays the rest first.
    let fail = "grant accept fail OTHER --cause false_books --minutes 验收〔2018〕5号";
    office.refuses(DIRECTOR, fail, "END_TRANCHE_OFFSET");
    office.settled(OTHER, 1);
    office.does(DIRECTOR, fail);
    let failed = office.json("grant show OTHER");
    assert_eq!(
        [&failed["state"], &failed["final_acceptance"]["failure"]],
        ["acceptance_failed", "false_books"],
        "{failed}"
    );
    office.does(
        DIRECTOR,
        "grant terminate OTHER --reason 验收不通过 --minutes 终止〔2018〕1号 --refund-by 2018-08-10",
    );
    assert_eq!(office.json("grant show OTHER")["end"]["refund_by"], "2018-08-10");
    office.does(DIRECTOR, "grant cancel OTHER --cause fraud --reason 弄虚作假 --minutes 撤销〔2018〕1号");
    let table = office.prints("grant show OTHER");
    for part in ["cancelled 已撤销", "false_books 提供虚假财务会计资料", "弄虚作假, 撤销〔2018〕1号"]
    {
        assert!(table.contains(part), "{part} is not in {table}");
    }
}

/// The rows of a CSV by the names in its first line.
fn records(text: &str) -> Vec<BTreeMap<String, String>> {
    csv::Reader::from_reader(text.as_bytes()).into_deserialize().map(Result::unwrap).collect()
}
