"""What a cart costs."""

from shop.store import Product

FREE_SHIPPING_FROM = 5000
SHIPPING = 490


async def total(products: list[Product]) -> int:
    """The sum in cents, shipping included."""
    price = sum(product.price for product in products)
    return price if price >= FREE_SHIPPING_FROM else price + SHIPPING
