//! `concord.fund.v1.MatchingService`.

use crate::Fund;
use concord_chassis::{commands, edge::Desk};
use concord_proto::fund::v1::{self as fund, matching_service_server::MatchingService};

/// `concord.fund.v1.MatchingService`.
#[derive(Clone)]
pub struct MatchingMoney {
    desk: Desk<Fund>,
}

impl MatchingMoney {
    /// Serves the matching money of the desk's log.
    #[must_use]
    pub fn new(desk: Desk<Fund>) -> Self {
        Self { desk }
    }
}

#[tonic::async_trait]
impl MatchingService for MatchingMoney {
    commands! {
        fund:
            pledge_matching(PledgeMatchingRequest) -> PledgeMatchingResponse;
            record_matching_arrival(RecordMatchingArrivalRequest) -> RecordMatchingArrivalResponse;
            release_matching(ReleaseMatchingRequest) -> ReleaseMatchingResponse;
    }
}
