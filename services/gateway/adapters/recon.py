"""Recon, by its stub."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import grpc
from concord.recon.v1 import recon_pb2, recon_pb2_grpc, statement_pb2

from libs.events import Settlement
from libs.rpc.scalars import from_time
from libs.rpc.wire import from_settlement

from ..domain.delivery import UploadedFile

FILE_TIMEOUT_SECONDS = 1500.0
CHUNK_BYTES = 1024 * 1024


class ReconClient:
    """Hands over files and settlements; a call raises `RemoteError` with recon's reason."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._stub = recon_pb2_grpc.ReconServiceStub(channel)

    def import_statement(self, file: UploadedFile, chunks: Iterable[bytes]) -> None:
        def requests() -> Iterator[recon_pb2.ImportStatementRequest]:
            yield recon_pb2.ImportStatementRequest(header=_header(file))
            for chunk in _parts(chunks):
                yield recon_pb2.ImportStatementRequest(chunk=chunk)

        self._stub.ImportStatement(requests(), timeout=FILE_TIMEOUT_SECONDS)

    def import_settlement_file(self, file: UploadedFile, chunks: Iterable[bytes]) -> None:
        def requests() -> Iterator[recon_pb2.ImportSettlementFileRequest]:
            yield recon_pb2.ImportSettlementFileRequest(header=_header(file))
            for chunk in _parts(chunks):
                yield recon_pb2.ImportSettlementFileRequest(chunk=chunk)

        self._stub.ImportSettlementFile(requests(), timeout=FILE_TIMEOUT_SECONDS)

    def import_settlement(self, settlement: Settlement, delivery: str, transaction_id: str) -> None:
        self._stub.ImportSettlement(
            recon_pb2.ImportSettlementRequest(
                settlement=from_settlement(settlement), delivery=delivery, transaction_id=transaction_id
            )
        )


def _header(file: UploadedFile) -> statement_pb2.FileHeader:
    return statement_pb2.FileHeader(
        company=f"companies/{file.company}",
        interface=file.interface,
        delivery=file.delivery,
        file_name=file.file_name,
        sha256=file.sha256,
        receive_time=from_time(file.received_at),
        transaction_id=file.transaction_id,
    )


def _parts(chunks: Iterable[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        for start in range(0, len(chunk), CHUNK_BYTES):
            yield chunk[start : start + CHUNK_BYTES]
