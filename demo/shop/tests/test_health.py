import pytest
from httpx import ASGITransport, AsyncClient


@pytest.mark.asyncio
async def test_health(running):
    client = AsyncClient(transport=ASGITransport(app=running), base_url="http://test")
    response = await client.get("/health")
    assert response.json() == {"status": "ok"}


@pytest.mark.asyncio
async def test_health_of_a_stranger(running):
    client = AsyncClient(transport=ASGITransport(app=running), base_url="http://test")
    response = await client.get("/health", headers={"Authorization": "Bearer nonsense"})
    assert response.status_code == 200
    await client.aclose()
