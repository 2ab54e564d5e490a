import asyncio

import pytest

from shop.store import Product


@pytest.mark.asyncio
async def test_find(store):
    product = await store.find("tea")
    assert product.price == 450


@pytest.mark.asyncio
async def test_has(store):
    assert store.has("tea")
    assert not await store.has("coffee")


@pytest.mark.asyncio
async def test_add_wakes_who_waits(store):
    store.changed.clear()
    waiter = asyncio.create_task(store.changed.wait())
    await store.add(Product(sku="cup", title="Cup", price=990))
    assert await waiter


@pytest.mark.asyncio
async def test_reads_together(store):
    found = await asyncio.gather(*(store.find(sku) for sku in ["tea", "coffee"]))
    assert [product is None for product in found] == [False, True]
