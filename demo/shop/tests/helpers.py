"""What several test modules do."""

from httpx import AsyncClient


async def fill_cart(client: AsyncClient, *skus: str) -> int:
    """Puts products in the cart; how many are in it now."""
    items = 0
    for sku in skus:
        response = await client.post(f"/cart/{sku}")
        items = response.json()["items"]
    return items
