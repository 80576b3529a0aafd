use super::*;
use std::path::{Path, PathBuf};

const HEADER: &str = "rcn,role,pic,type,contribution,country,start_date,end_date,max_contribution,total_cost,start_year,end_year,duration,group,nunique\n";

fn file(rows: &[&str]) -> SourceFile {
    parse(&format!("{HEADER}{}\n", rows.join("\n"))).unwrap()
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

const COORDINATOR: &str =
    "7,coordinator,984516342,PRC,60,EL,2019-05-01,2022-04-30,100,150.1250,2019,2022,36,eu15,2";
const OTHER: &str = "8,coordinator,998616262,HES,NA,NA,NA,NA,50,NA,NA,NA,NA,tc,1";
const PARTICIPANT: &str =
    "7,participant,998616262,HES,40,UK,2019-05-01,2022-04-30,100,150.1250,2019,2022,36,eu15,2";

#[test]
fn rows_of_a_grant_are_put_together_wherever_they_stand() {
    let file = file(&[COORDINATOR, OTHER, PARTICIPANT]);
    assert_eq!(file.grants.len(), 2);
    let grant = &file.grants[0];
    assert_eq!((grant.parts.len(), grant.line, grant.excess_minor()), (2, 2, 0));
    assert_eq!(grant.raw, format!("{COORDINATOR}\n{PARTICIPANT}"));
    let request = grant.award(false, "2024-01-01".parse().unwrap()).request;
    let lead = request.lead.unwrap();
    assert_eq!((lead.code.as_str(), lead.region.as_str()), ("EU-PIC:984516342", "GR"));
    assert_eq!(request.allocations[1].party.as_ref().unwrap().region, "GB");
    assert_eq!(request.header.unwrap().effective_on, "2019-05-01");
    assert_eq!((request.year, request.tranches.len()), (2019, 0));
    assert_eq!(request.total_budget.unwrap().amount_minor, 15_012);
    assert_eq!(
        request.discrepancies,
        ["1 amount(s) had more than two decimals and were rounded half to even"]
    );
}

#[test]
fn missing_values_are_noted_and_na_in_the_country_column_is_namibia() {
    let file = file(&[OTHER]);
    let request = file.grants[0].award(true, "2024-01-01".parse().unwrap()).request;
    assert_eq!(request.allocations[0].party.as_ref().unwrap().region, "NA");
    assert_eq!(request.allocations[0].amount_minor, None);
    assert_eq!((request.year, request.starts_on.as_str()), (2014, ""));
    let source = request.source.unwrap();
    assert!(source.synthetic && source.data_set.contains("模拟"));
    assert_eq!(request.tranches.len(), 3);
    let notes = request.discrepancies.join("\n");
    for note in [
        "fall short of the ceiling by 50.00 EUR",
        "1 of 1 shares",
        "programme of 2014",
        "synthetic payment plan",
    ] {
        assert!(notes.contains(note), "{notes}");
    }
}

#[test]
fn of_several_coordinators_the_one_with_the_largest_share_leads() {
    let second = PARTICIPANT.replace("participant", "coordinator").replace(",40,", ",80,");
    let file = file(&[COORDINATOR, &second]);
    assert_eq!(file.grants[0].lead().code, "EU-PIC:998616262");
    assert!(file.grants[0].discrepancies()[1].starts_with("2 coordinators"));
}

#[test]
fn a_bad_row_sets_its_whole_grant_aside() {
    let broken = PARTICIPANT.replace(",UK,", ",Q9,");
    let file = file(&[COORDINATOR, &broken, OTHER]);
    assert_eq!(file.grants.len(), 1);
    assert_eq!((file.rejects[0].line, file.rejects[0].key.as_str()), (3, "7"));
    assert!(file.rejects[0].reason.contains("Q9"), "{:?}", file.rejects);
}

#[test]
fn a_file_without_a_column_is_refused_by_its_name() {
    let error = parse("rcn,role\n1,coordinator\n").unwrap_err().to_string();
    assert!(error.contains("\"pic\"") && error.contains("rcn, role"), "{error}");
}

#[test]
fn request_ids_follow_from_the_rows_and_the_plan_alone() {
    let today = "2024-01-01".parse().unwrap();
    let id = |rows: &[&str], plan| file(rows).grants[0].award(plan, today).request.header.unwrap().request_id;
    assert_eq!(id(&[COORDINATOR, PARTICIPANT], true), id(&[COORDINATOR, OTHER, PARTICIPANT], true));
    assert_ne!(id(&[COORDINATOR, PARTICIPANT], true), id(&[COORDINATOR, PARTICIPANT], false));
    assert_ne!(id(&[COORDINATOR, PARTICIPANT], true), id(&[COORDINATOR], true));
}

#[test]
fn the_excerpt_holds_the_cases_that_an_importer_trips_over() {
    let file = parse(&crate::import::read_file(&repository().join("tests/data/h2020-excerpt.csv")).unwrap())
        .unwrap();
    assert_eq!(file.rejects, []);
    let truths = Truths::of(&file.grants);
    assert_eq!(truths.grants, 300);
    let mut exceed = truths.exceed;
    exceed.sort();
    assert_eq!(exceed, ["194303", "199236", "230472"]);
    assert!(truths.not_one_coordinator > 5 && truths.fall_short > 5 && truths.unknown_shares > 50);
    assert!(file.grants.iter().any(|grant| grant.starts_on.is_none()));
    assert!(file.grants.iter().any(|grant| grant.rounded > 0));
    assert!(file.grants.iter().any(|grant| grant.parts.iter().any(|part| part.party.region == "NA")));
}

/// The whole file is not part of the repository; where it lies beside it, the importer must agree with what is known of it.
#[test]
fn the_whole_file_agrees_with_what_is_known_of_it() {
    let path = repository().join("../shared/data/eu-h2020-participations.csv.gz");
    if !path.exists() {
        eprintln!("skipped: {} is not there", path.display());
        return;
    }
    let file = parse(&crate::import::read_file(&path).unwrap()).unwrap();
    let mut truths = Truths::of(&file.grants);
    truths.exceed.sort();
    assert_eq!((file.rows, file.rejects.len()), (144_726, 0));
    let exceed = ["194303", "199236", "230472"].map(str::to_owned).to_vec();
    let expected = Truths {
        grants: 31_451,
        add_up: 31_391,
        exceed,
        fall_short: 57,
        not_one_coordinator: 25,
        unknown_shares: 13_754,
    };
    assert_eq!(truths, expected);
}
