//! One thing in several spellings, over the running stack (domain.md section 3, "Partners"): an invoice counts once over two
//! grants, a bank's reference is a repeat, one person does not do two jobs, a look-alike title is the same project, and both names
//! of the unified code give one party.

use crate::life::{Life, WAN};
use concord_proto::agreement::v1::{CodeCertificate, GetPartyRequest, RecordPartyRequest};
use concord_proto::fund::v1::bulk_command::Command;
use concord_proto::fund::v1::{
    AdmitGrantRequest, ApplyForGrantRequest, AuthoriseTrancheRequest, GetGrantRequest, Grant,
    InstructTrancheRequest, Invoice, PersonalData, RecommendGrantRequest, ReportSpendRequest,
    RequestTrancheRequest, SettleTrancheRequest, SpendCategory, VerifyPayeeRequest,
};
use concord_proto::r#type::v1::PartyKind;
use concord_tests::agreements::Agreements;
use concord_tests::check::checked;
use concord_tests::desk::{
    APPLICANT, CASHIER, CITY, CLERK, CONTROLLER, DIRECTOR, Desk, TREASURER, by, fields, plain,
};
use concord_tests::requests::{application, award, fen, header, id, university};
use concord_tests::stack::Stack;
use tonic::Code;

/// A day within the projects.
const SPENT_ON: &str = "2017-04-10";

/// A migrated award of 100, up to its instruction; its tranche is settled as `reference`.
async fn paid(life: &mut Life, programme: &str, reference: &str) -> String {
    let grant = id();
    life.does(CLERK, Command::ImportAward(award(programme, &grant, 100 * WAN))).await;
    let account = PersonalData { person_id: format!("acc-{grant}"), text: "6222 0000 1234".to_owned() };
    let (grant_id, tranche_number) = (grant.clone(), 1);
    let check = VerifyPayeeRequest { header: header(), grant_id, account: Some(account) };
    life.does(DIRECTOR, Command::VerifyPayee(check)).await;
    let (grant_id, amount) = (grant.clone(), None);
    let request = RequestTrancheRequest { header: header(), grant_id, tranche_number, amount };
    life.does(APPLICANT, Command::RequestTranche(request)).await;
    let authorise = AuthoriseTrancheRequest { header: header(), grant_id: grant.clone(), tranche_number };
    life.does(CONTROLLER, Command::AuthoriseTranche(authorise)).await;
    let instruct = |instruction: &str| {
        Command::InstructTranche(InstructTrancheRequest {
            header: header(),
            grant_id: grant.clone(),
            tranche_number,
            instruction_id: instruction.to_owned(),
        })
    };
    // Who authorised does not instruct, however the id is written (A13).
    life.refuses("ZHOU@fund-office", instruct(&id()), "A13_CONFLICTING_DUTIES").await;
    life.does(TREASURER, instruct(&id())).await;
    life.does(CASHIER, settle(&grant, reference)).await;
    grant
}

fn settle(grant: &str, reference: &str) -> Command {
    Command::SettleTranche(SettleTrancheRequest {
        header: header(),
        grant_id: grant.to_owned(),
        tranche_number: 1,
        bank_reference: reference.to_owned(),
    })
}

/// An item of ten, of an invoice over fifty that is told so.
fn item(grant: &str, party: &str, number: &str, issuer: &str, code: &str) -> Command {
    Command::ReportSpend(ReportSpendRequest {
        header: header(),
        grant_id: grant.to_owned(),
        spend_id: id(),
        party_id: party.to_owned(),
        category: SpendCategory::Equipment.into(),
        spent_on: SPENT_ON.to_owned(),
        amount: fen(10 * WAN),
        invoice: Some(Invoice {
            issuer: issuer.to_owned(),
            number: number.to_owned(),
            total: fen(50 * WAN),
            code: code.to_owned(),
        }),
        purpose: "试验台".to_owned(),
    })
}

async fn shown(life: &Life, grant: &str) -> Grant {
    let asked = GetGrantRequest { grant_id: grant.to_owned(), min_position: 0 };
    life.desk.grants().get_grant(plain(asked)).await.unwrap().into_inner().grant.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_thing_in_several_spellings_is_one_thing() {
    let stack = Stack::start().unwrap();
    let desk = Desk::at(&stack).await.unwrap();
    let programme = desk.programme(1_000 * WAN).await.unwrap();
    let mut life = Life { desk, programme: programme.clone(), head: 0 };

    // Two grants, paid. The bank's reference is told again with a blank, in capitals, in full-width forms.
    let old = id();
    let first = paid(&mut life, &old, "PAY-1").await;
    let second = paid(&mut life, &old, "PAY-2 ").await;
    for reference in ["PAY-1 ", "pay 1", "ＰＡＹ－１"] {
        let again = life.does(CASHIER, settle(&first, reference)).await;
        assert_eq!(again.first_position, 0, "{reference}: it changes nothing");
    }
    life.refuses(CASHIER, settle(&first, "PAY-01"), "TRANCHE_ALREADY_SETTLED").await;

    // An invoice over fifty in five spellings, over both grants; whoever is told to have issued it.
    let lead = shown(&life, &first).await.lead_party_id;
    const CODE: &str = "2100143130";
    let told = ["00012345", "12345", "０００１２３４５", "No.00012345", "№00012345"];
    for (place, number) in told.iter().enumerate() {
        let grant = if place % 2 == 0 { &first } else { &second };
        life.does(APPLICANT, item(grant, &lead, number, CODE, "")).await;
    }
    for (number, issuer, code) in [
        ("0001-2345", CODE, ""),
        ("12345", "2100 143130", ""),
        ("号码：00012345", "某供应商", CODE),
        ("00012345", "CN-USCC:9144030071526726XG", CODE),
    ] {
        for grant in [&first, &second] {
            let more = item(grant, &lead, number, issuer, code);
            let facts = life.refuses(APPLICANT, more, "A09_INVOICE_EXCEEDED").await;
            assert_eq!(facts["allocated_minor"], (50 * WAN).to_string(), "{number} of {issuer}");
        }
    }
    life.does(APPLICANT, item(&first, &lead, "00012346", CODE, "")).await;
    let spending = shown(&life, &first).await.spending.unwrap();
    let kept: Vec<&str> = spending.newest.iter().map(|item| item.invoice_number.as_str()).collect();
    assert!(kept.contains(&"０００１２３４５"), "kept as it was given: {kept:?}");

    // The same project under a title that only looks the same (A04), by a lead that is told by the code's other name.
    let live = id();
    let titled = |grant: &str, title: &str, scheme: &str| {
        let mut lead = university();
        if let Some(lead) = &mut lead {
            lead.code = lead.code.replace("CN-USCC", scheme);
        }
        let header = header();
        Command::ApplyForGrant(ApplyForGrantRequest {
            header,
            title: title.to_owned(),
            lead,
            ..application(&programme, grant, 10 * WAN)
        })
    };
    let recommend = |grant: &str| {
        let (header, grant_id, recommender) = (header(), grant.to_owned(), "沈阳市科技局".to_owned());
        Command::RecommendGrant(RecommendGrantRequest { header, grant_id, recommender })
    };
    let admit =
        |grant: &str| Command::AdmitGrant(AdmitGrantRequest { header: header(), grant_id: grant.to_owned() });
    life.does(APPLICANT, titled(&live, "高效（HE-2）电机", "CN-USCC")).await;
    life.does(CITY, recommend(&live)).await;
    life.refuses("zhao@Shenyang-University", admit(&live), "A13_APPLICANT_IN_OFFICE").await;
    life.does(CLERK, admit(&live)).await;
    for title in ["高效НЕ-2电机", "高　效ＨＥ２电机", "高效《HE②》电机"] {
        let again = id();
        life.does(APPLICANT, titled(&again, title, "CN-USCI")).await;
        life.does(CITY, recommend(&again)).await;
        let facts = life.refuses(CLERK, admit(&again), "A04_FUNDED_ALREADY").await;
        assert_eq!(facts["other_grant_id"], live, "{title}");
    }
    checked(&stack).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_read_under_both_names_and_taken_from_a_certificate() {
    let stack = Stack::start().unwrap();
    let desk = Agreements::at(&stack).await.unwrap();
    let recorded = |code: &str, certificate: Option<CodeCertificate>| RecordPartyRequest {
        header: header(),
        code: code.to_owned(),
        kind: PartyKind::Enterprise.into(),
        name: "某厂".to_owned(),
        region: "210102".to_owned(),
        industry: String::new(),
        certificate,
    };
    let record =
        async |code: &str, proof| desk.parties().record_party(by(CLERK, recorded(code, proof))).await;
    let works = record("CN-USCI:91330100799655058B", None).await.unwrap().into_inner().party_id;
    let again = record("CN-USCC:91330100799655058B", None).await.unwrap().into_inner();
    assert_eq!((again.party_id, again.receipt.unwrap().first_position), (works.clone(), 0));
    assert_eq!(desk.look_up("CN-USCI:91330100799655058B", "").await.unwrap().party_id, works);

    for code in ["CN-USCC:N/A", "CN-USCC:-", "CN-USCC:000000000000000000", "CN-USCC:9.13E+17"] {
        let status = record(code, None).await.unwrap_err();
        assert_eq!(
            (status.code(), fields(&status)),
            (Code::InvalidArgument, vec!["code".to_owned()]),
            "{code}"
        );
    }
    let wrong = "CN-USCC:91350100M000100Y4Z";
    let status = record(wrong, None).await.unwrap_err();
    assert_eq!((status.code(), fields(&status)), (Code::InvalidArgument, vec!["code".to_owned()]));
    let proof = CodeCertificate {
        document_number: "闽市监〔2015〕第0012号".to_owned(),
        note: "证照如此".to_owned(),
    };
    let taken = record(wrong, Some(proof.clone())).await.unwrap().into_inner().party_id;
    assert_eq!(desk.look_up(wrong, "").await.unwrap().party_id, taken);
    let asked = GetPartyRequest { party_id: taken, min_position: 0 };
    let party = desk.parties().get_party(plain(asked)).await.unwrap().into_inner().party.unwrap();
    let certified: Vec<_> = party.certified_codes.into_iter().map(|it| (it.code, it.certificate)).collect();
    assert_eq!(certified, [(wrong.to_owned(), Some(proof))]);
}
