from unittest import TestCase

from shop import prices
from shop.store import Product


class PricesTest(TestCase):
    async def test_shipping(self):
        self.assertEqual(await prices.total([Product(sku="tea", title="Green tea", price=450)]), 940)

    async def test_free_shipping(self):
        self.assertEqual(await prices.total([Product(sku="pot", title="Tea pot", price=5000)]), 5000)
