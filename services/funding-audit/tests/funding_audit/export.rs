//! Tables as CSV.

use crate::balances::told;
use crate::cluster::Bench;
use crate::story::{END, G1, G3, P2, Story, imported};
use concord_funding_audit::columns;
use concord_kernel::id::GrantId;
use concord_proto::audit::v1::{
    AsOf, Dimension, ExportCsvRequest, ExportTable, ListColumnsRequest, PostingFilter,
    funding_audit_service_server::FundingAuditService,
};
use futures::StreamExt as _;
use tonic::{Code, Request};
use uuid::Uuid;

/// Tables whose rows have ages.
const AGED: [ExportTable; 4] =
    [ExportTable::Overdue, ExportTable::Matching, ExportTable::Shares, ExportTable::Receivables];

/// The file, and how many pieces it came in.
async fn export(bench: &Bench, request: ExportCsvRequest) -> (String, usize) {
    let table = request.table;
    let mut stream = bench.audit.export_csv(Request::new(request)).await.unwrap().into_inner();
    let mut file = Vec::new();
    let mut pieces = 0;
    while let Some(piece) = stream.next().await {
        let piece = piece.unwrap();
        assert_eq!(piece.reflects.is_some(), pieces == 0, "what it reflects goes with the first piece");
        let aged = pieces == 0 && AGED.map(i32::from).contains(&table);
        assert_eq!(!piece.on.is_empty(), aged, "so does the day that ages are counted from");
        file.extend(piece.data);
        pieces += 1;
    }
    (String::from_utf8(file).unwrap(), pieces)
}

fn of(table: ExportTable) -> ExportCsvRequest {
    ExportCsvRequest { table: table.into(), ..ExportCsvRequest::default() }
}

#[tokio::test]
async fn every_header_is_in_the_dictionary() {
    let mut bench = Bench::new().await;
    bench.apply(&crate::life::life().events).await.unwrap();
    let dictionary: Vec<String> = bench
        .audit
        .list_columns(Request::new(ListColumnsRequest {}))
        .await
        .unwrap()
        .into_inner()
        .columns
        .into_iter()
        .map(|column| column.name)
        .collect();
    let groups = [
        vec![Dimension::Programme, Dimension::Mode, Dimension::LeadRegion],
        vec![Dimension::PartyRegion, Dimension::Industry, Dimension::Year],
        vec![Dimension::Period, Dimension::Grant, Dimension::Party],
        vec![],
    ];
    // By then the first tranche is instructed and overdue.
    let undrawn = Some(AsOf { position: 10, ..AsOf::default() });
    let mut exports = vec![
        (of(ExportTable::Postings), columns::POSTINGS.to_vec()),
        (ExportCsvRequest { as_of: undrawn.clone(), ..of(ExportTable::Undrawn) }, columns::UNDRAWN.to_vec()),
        (ExportCsvRequest { as_of: undrawn, ..of(ExportTable::Overdue) }, columns::OVERDUE.to_vec()),
    ];
    for (table, expected) in [
        (ExportTable::Matching, columns::MATCHING),
        (ExportTable::Shares, columns::SHARES),
        (ExportTable::Receivables, columns::RECEIVABLES),
    ] {
        exports.push((of(table), expected.to_vec()));
    }
    for group_by in groups {
        let expected = columns::balances(&group_by);
        let group_by = group_by.into_iter().map(i32::from).collect();
        exports.push((ExportCsvRequest { group_by, ..of(ExportTable::Balances) }, expected));
    }
    for (request, expected) in exports {
        let (file, _) = export(&bench, request).await;
        let header: Vec<&str> = file.lines().next().unwrap().split(',').collect();
        assert_eq!(header, expected);
        assert!(header.iter().all(|name| dictionary.iter().any(|known| known == name)), "{header:?}");
        assert!(file.lines().count() > 1);
    }
}

#[tokio::test]
async fn the_rows_are_those_of_the_lists() {
    let bench = told().await;
    let (file, _) =
        export(&bench, ExportCsvRequest { on: "2026-01-01".to_owned(), ..of(ExportTable::Overdue) }).await;
    let rows: Vec<&str> = file.lines().skip(1).collect();
    // A title with commas and quotes is one value.
    let first = format!("{G3},1,{P2},\"Sea, \"\"wind\"\" and sun\",EUR,500000,2017-01-01,3287,request,true");
    assert_eq!(rows[0], first);
    assert_eq!(rows.len(), 2);

    let (file, _) = export(&bench, of(ExportTable::Undrawn)).await;
    assert!(file.lines().nth(1).unwrap().ends_with("EUR,500000,0,500000,,true,,"), "{file}");

    let request = ExportCsvRequest {
        group_by: vec![Dimension::Industry.into()],
        filter: Some(PostingFilter { grant_id: G1.to_string(), ..PostingFilter::default() }),
        ..of(ExportTable::Balances)
    };
    let (file, _) = export(&bench, request).await;
    assert_eq!(
        file.lines().nth(1).unwrap(),
        "new_materials,新材料,CNY,0,0,0,100000,0,150000,0,0,0,0,0,150000,0,0,1,0"
    );
    assert_eq!(file.lines().count(), 2, "totals are not rows of the table");

    let as_of = Some(AsOf { position: 1, ..AsOf::default() });
    let (file, _) = export(&bench, ExportCsvRequest { as_of, ..of(ExportTable::Postings) }).await;
    let expected = "1,1,concord.fund.v1.ProgrammeAppropriated,available,1000000,CNY,2025-01-10,2025-01,\
                    00000000-0000-0000-0000-000000000101,,,,,2025,,,2026-01-05T00:01:00Z,false";
    assert_eq!(file.lines().nth(1).unwrap(), expected);
}

#[tokio::test]
async fn a_large_table_comes_in_pieces() {
    let mut story = Story::whole();
    for number in 0..400 {
        story.then("2016-06-01", &imported(GrantId(Uuid::from_u128(0x1000 + number)), P2, 7, "2017-01-01"));
    }
    let mut bench = Bench::new().await;
    bench.apply(&story.events).await.unwrap();
    let (file, pieces) = export(&bench, of(ExportTable::Postings)).await;
    assert!(pieces > 2 && file.len() > 128 * 1024, "{pieces} pieces, {} bytes", file.len());
    assert_eq!(file.lines().count(), 1 + 28 + 800, "a header, the story's lines, two an import");
    let positions: Vec<u64> =
        file.lines().skip(1).map(|line| line.split(',').next().unwrap().parse().unwrap()).collect();
    assert!(positions.is_sorted());
    assert_eq!(positions.last(), Some(&(END + 400)));
}

#[tokio::test]
async fn an_export_of_nothing_in_particular_is_refused() {
    let bench = told().await;
    let requests = [
        of(ExportTable::Unspecified),
        ExportCsvRequest { group_by: vec![1], ..of(ExportTable::Postings) },
        ExportCsvRequest { on: "2026-01-01".to_owned(), ..of(ExportTable::Undrawn) },
    ];
    for request in requests {
        let status = bench.audit.export_csv(Request::new(request)).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{status}");
    }
}

#[tokio::test]
async fn an_export_says_the_day_of_its_ages_so_that_it_can_be_asked_for_again() {
    let bench = told().await;
    let as_of = Some(AsOf { position: END, ..AsOf::default() });
    let mut request = ExportCsvRequest { as_of, ..of(ExportTable::Overdue) };
    let (file, _) = export(&bench, request.clone()).await;
    let mut stream = bench.audit.export_csv(Request::new(request.clone())).await.unwrap().into_inner();
    request.on = stream.next().await.unwrap().unwrap().on;
    assert_eq!(request.on, "2026-01-05", "the day on which the position was recorded");
    assert_eq!(export(&bench, request).await.0, file);
}
