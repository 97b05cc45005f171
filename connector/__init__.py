"""Carries changes from the Cienapps and Cien ERP systems into Kafka, exactly once.

Each feed of each site is pulled over HTTP, each notification is written as Avro to the topic of its entity, keyed by
SyncID and inside a transaction, and only when that transaction is committed is the ERP told "received". The process
keeps no state of its own: what is already in Kafka is read from Kafka, after fencing every older instance.
"""

__version__ = "0.1.0"
