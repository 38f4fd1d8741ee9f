from tests.gateway.conftest import pair, start_installation

__all__ = ["pair", "start_installation"]
