from django.urls import path

from chargeamps.schedules import api

urlpatterns = [
    path("connectors/<str:id>", api.ConnectorView.as_view()),
    path("connectors/<str:id>/plan", api.PlanView.as_view()),
    path("connectors/<str:id>/charge-now", api.ChargeNowView.as_view()),
    path("connectors/<str:id>/wait-for-schedule", api.WaitForScheduleView.as_view()),
    path("connectors/<str:id>/stop", api.StopView.as_view()),
    path("sites/<str:id>/default-hours", api.DefaultHoursView.as_view()),
]
