"""Makes Kafka records of notifications: the fast way where one is as expected, the plain way for any other.

Must not know JSON or Avro itself; both ways give the same bytes for the same notification.
"""

from __future__ import annotations

from connector.encoding.drift import DriftObserver
from connector.encoding.generated import generate
from connector.encoding.layout import Layout
from connector.encoding.plain import PlainEncoder
from connector.encoding.schemas import FeedSchema
from connector.encoding.single_object import CONTENT_TYPE
from connector.errors import ConfigurationWrong
from connector.model import Notification, Record


class SingleObjectEncoder:
    """Writes one feed's notifications in Avro's single-object encoding; does no input or output.

    Names it meets are learned, so that an ERP that always sends a field no table names does not pay for it.

    Args:
        schema: how the feed's records are written.
        drift: told what the schema does not foresee.
    """

    content_type = CONTENT_TYPE

    def __init__(self, schema: FeedSchema, drift: DriftObserver) -> None:
        self._schema = schema
        self._drift = drift
        self._plain = PlainEncoder(schema, drift)
        self._use(Layout())

    @property
    def source(self) -> str:
        """The generated Python that encodes, for people to read."""
        return self._source

    def encode(self, notification: Notification) -> Record:
        """The record of one notification.

        Raises:
            BadNotification: no JSON object of valid text, a name twice, or not the SyncID it was listed by.
        """
        return self._fast(notification) or self._encode_plainly(notification)

    def _encode_plainly(self, notification: Notification) -> Record:
        record, names = self._plain.encode(notification)
        layout = self._layout.grown(self._schema, names)
        if layout != self._layout:
            self._use(layout)
        return record

    def _use(self, layout: Layout) -> None:
        self._layout = layout
        generated = generate(self._schema, layout, self._drift)
        self._fast, self._source = generated.encode, generated.source


def encoder_for(value_encoding: str, schema: FeedSchema, drift: DriftObserver) -> SingleObjectEncoder:
    """The encoder that the setting `value_encoding` names.

    Raises:
        ConfigurationWrong: there is no such encoding.
    """
    if value_encoding != "single_object":
        raise ConfigurationWrong([f"value_encoding: {value_encoding} is not in this release; write single_object"])
    return SingleObjectEncoder(schema, drift)
