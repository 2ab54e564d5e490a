import pytest

pytestmark = pytest.mark.asyncio


async def test_list(client):
    response = await client.get("/products")
    assert response.status_code == 200
    assert [product["sku"] for product in response.json()] == ["tea", "pot"]


async def test_read(client):
    response = client.get("/products/tea")
    assert response.json()["title"] == "Green tea"


async def test_read_unknown(client):
    response = await client.get("/products/coffee")
    assert await response.json() == {"detail": "No such product"}
    assert response.status_code == 404


async def test_create(client, make_product):
    cup = await make_product("cup", price=990)
    response = await client.get(f"/products/{cup.sku}")
    assert response.json() == {"sku": "cup", "title": "Cup", "price": 990}


async def test_create_twice(ada, make_product):
    await make_product("cup")
    response = await ada.post("/products", json={"sku": "cup", "title": "Cup", "price": 1})
    assert response.status_code == 409


async def test_delete(ada):
    ada.delete("/products/pot")
    response = await ada.get("/products/pot")
    assert response.status_code == 404
