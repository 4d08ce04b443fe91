"""Series stores behind one contract; `STORES` is the one line a new one adds."""

from importlib import import_module
from typing import TYPE_CHECKING

from gateway.store.contract import Store

if TYPE_CHECKING:
    from gateway.config.customers import StoreTable

STORES = {
    "sqlite": "gateway.store.sqlite",
    "postgres": "gateway.store.postgres",
    "influx": "gateway.store.influx",
    "victoria": "gateway.store.victoria",
}


def open_store(config: "StoreTable") -> Store:
    """Make the configured store; only its own module and libraries are imported."""
    store: Store = import_module(STORES[config.kind]).from_config(config)
    return store
