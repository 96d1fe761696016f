"""The demonstration company's masters: read from Odoo; its mapping proposed by one person, approved by another."""

from __future__ import annotations

import uuid
from pathlib import Path

from concord.masterdata.v1 import mapping_pb2, masterdata_pb2, masterdata_pb2_grpc

from cli.connection import Connection

COMPANY = "companies/acme"
MAPPING = Path(__file__).with_name("mapping.yaml")
_ACTIVE = mapping_pb2.MappingSet.STATE_ACTIVE


def provide_company(connection: Connection) -> None:
    """Do nothing if the company has an active mapping already."""
    with connection.channel("masterdata", ("operator", "accountant"), "demo/accountant") as channel:
        maker = masterdata_pb2_grpc.MasterdataServiceStub(channel)
        maker.SyncMasterData(masterdata_pb2.SyncMasterDataRequest(parent=COMPANY, request_id=str(uuid.uuid4())))
        known = maker.ListMappingSets(masterdata_pb2.ListMappingSetsRequest(parent=COMPANY))
        if any(mapping_set.state == _ACTIVE for mapping_set in known.mapping_sets):
            return
        proposal = masterdata_pb2.ProposeMappingSetRequest(
            parent=COMPANY, yaml=MAPPING.read_text(), request_id=str(uuid.uuid4())
        )
        proposed = maker.ProposeMappingSet(proposal)
    with connection.channel("masterdata", ("approver",), "demo/controller") as channel:
        approval = masterdata_pb2.ApproveMappingSetRequest(
            name=proposed.name, content_digest=proposed.content_digest, request_id=str(uuid.uuid4())
        )
        masterdata_pb2_grpc.MasterdataServiceStub(channel).ApproveMappingSet(approval)
