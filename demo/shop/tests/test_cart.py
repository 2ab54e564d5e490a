import pytest

from tests.helpers import fill_cart


@pytest.mark.asyncio
class TestCart:
    async def test_empty(self, ada):
        response = await ada.get("/cart")
        assert response.json() == {"items": 0, "total": 490}

    def test_fill(self, ada):
        assert await fill_cart(ada, "tea", "tea") == 2

    async def test_free_shipping(self, ada):
        await fill_cart(ada, "pot", "tea")
        response = await ada.get("/cart")
        assert response.json()["total"] == 5440

    @pytest.mark.parametrize("sku", ["coffee", "sugar"])
    async def test_unknown_product(self, ada, sku):
        response = await ada.post(f"/cart/{sku}")
        assert response.status_code == 404
