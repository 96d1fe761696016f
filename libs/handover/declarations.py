"""What the rows of events on their way are declared of."""

from sqlalchemy import Text
from sqlmodel import Field

from libs.storage.declarations import LeaseColumns, proof_column

from . import REASON_CHARACTERS


class OutboundColumns(LeaseColumns):
    """The columns of an event on its way: `class EventRow(GatewayRow, OutboundColumns, table=True)`."""

    name: str = Field(primary_key=True, max_length=800)
    company: str = Field(max_length=64)
    transaction_id: str = Field(max_length=32)
    origin: str = Field(max_length=32)  # transaction of the delivery or file that first brought it
    digest: str = Field(max_length=64)
    digest_version: int
    payload: str = Field(sa_type=Text)  # libs.events.event_to_json
    payload_proof: str = proof_column()
    counted: int  # 1 once it is in the control totals
    reason: str = Field(max_length=REASON_CHARACTERS)
