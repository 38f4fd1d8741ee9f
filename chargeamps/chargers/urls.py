from django.urls import path

from chargeamps.chargers import api

urlpatterns = [
    path("charge-points", api.ChargePointsView.as_view()),
    path("charge-points/<str:id>", api.ChargePointView.as_view()),
    path("charge-points/<str:id>/configuration", api.ConfigurationView.as_view()),
    path("charge-points/<str:id>/commands", api.ChargePointCommandsView.as_view()),
    path("commands/<str:id>", api.CommandView.as_view()),
]
