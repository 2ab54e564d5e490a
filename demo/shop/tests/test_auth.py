import pytest
from httpx import AsyncClient

from shop.auth import TOKENS


@pytest.mark.asyncio
def test_every_user_has_one_token():
    assert len(set(TOKENS.values())) == len(TOKENS)


@pytest.mark.asyncio
async def test_stranger(client):
    response = await client.get("/cart")
    assert response.status_code == 401


async def test_wrong_token(client):
    response = await client.get("/cart", headers={"Authorization": "Bearer nonsense"})
    assert response.status_code == 401


@pytest.mark.asyncio
async def test_override(client, everybody_is_ada):
    response = await client.get("/cart")
    assert response.status_code == 200


@pytest.mark.asyncio
async def test_two_users(running):
    async with AsyncClient(app=running, base_url="http://test") as ac:
        for token in TOKENS:
            response = await ac.get("/cart", headers={"Authorization": f"Bearer {token}"})
            assert response.status_code == 200
