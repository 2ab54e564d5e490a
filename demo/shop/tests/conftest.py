from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from asgi_lifespan import LifespanManager
from httpx import ASGITransport, AsyncClient

from shop.auth import current_user
from shop.main import app
from shop.store import Product, Store


@pytest_asyncio.fixture
async def running():
    async with LifespanManager(app) as manager:
        yield manager.app


@pytest_asyncio.fixture
async def client(running):
    async with AsyncClient(transport=ASGITransport(app=running), base_url="http://test") as ac:
        yield ac


@pytest_asyncio.fixture
async def ada(running):
    async with AsyncClient(
        transport=ASGITransport(app=running),
        base_url="http://test",
        headers={"Authorization": "Bearer token-of-ada"},
    ) as ac:
        return ac


@pytest.fixture
def everybody_is_ada():
    app.dependency_overrides[current_user] = lambda: "ada"
    yield
    app.dependency_overrides.pop(current_user)


@pytest.fixture
async def store() -> AsyncIterator[Store]:
    store = Store()
    await store.add(Product(sku="tea", title="Green tea", price=450))
    yield store


@pytest.fixture
def make_product(ada):
    async def make(sku: str, price: int = 100) -> Product:
        response = await ada.post("/products", json={"sku": sku, "title": sku.title(), "price": price})
        response.raise_for_status()
        return Product(**response.json())

    return make
