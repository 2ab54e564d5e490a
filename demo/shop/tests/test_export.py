import pytest


@pytest.mark.asyncio
async def test_content_type(client):
    with client.stream("GET", "/export") as response:
        assert response.headers["content-type"].startswith("text/csv")


@pytest.mark.asyncio
async def test_rows(client):
    async with client.stream("GET", "/export") as response:
        rows = [line for line in response.aiter_lines()]
    assert rows == ["sku,price", "tea,450", "pot,4990"]
