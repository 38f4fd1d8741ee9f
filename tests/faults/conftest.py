from tests.gateway.conftest import module_arrangement, module_scaled, pair, start_installation

__all__ = ["module_arrangement", "module_scaled", "pair", "start_installation"]
