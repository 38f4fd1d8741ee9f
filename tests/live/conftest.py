from tests.gateway.conftest import start_installation

__all__ = ["start_installation"]
