from django.urls import path

from chargeamps.usage.api import exports, power, reports, tariffs

urlpatterns = [
    path("usage/summary", reports.SummaryView.as_view()),
    path("usage/sessions", reports.SessionsView.as_view()),
    path("usage/sessions/<str:id>", reports.SessionView.as_view()),
    path("usage/sessions/<str:id>/power", power.SessionPowerView.as_view()),
    path("usage/exports", exports.ExportsView.as_view()),
    path("usage/exports/<str:id>", exports.ExportView.as_view()),
    path("usage/exports/<str:id>/file", exports.ExportFileView.as_view()),
    path("connectors/<str:id>/watch", power.WatchView.as_view()),
    path("sites/<str:id>/tariff", tariffs.TariffView.as_view()),
]
