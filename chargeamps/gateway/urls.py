from django.urls import path

from chargeamps.gateway import api

urlpatterns = [path("charge-points/<str:id>/trace", api.TraceView.as_view())]
