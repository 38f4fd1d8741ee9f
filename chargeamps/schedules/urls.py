from django.urls import path

from chargeamps.schedules.api import connectors, hours, ready_by, story

urlpatterns = [
    path("connectors/<str:id>", connectors.ConnectorView.as_view()),
    path("connectors/<str:id>/plan", connectors.PlanView.as_view()),
    path("connectors/<str:id>/charge-now", connectors.ChargeNowView.as_view()),
    path("connectors/<str:id>/wait-for-schedule", connectors.WaitForScheduleView.as_view()),
    path("connectors/<str:id>/skip-delay", connectors.SkipDelayView.as_view()),
    path("connectors/<str:id>/stop", connectors.StopView.as_view()),
    path("connectors/<str:id>/refuse-response", connectors.RefuseResponseView.as_view()),
    path("connectors/<str:id>/ready-by", ready_by.ReadyByView.as_view()),
    path("connectors/<str:id>/schedules", hours.SchedulesView.as_view()),
    path("connectors/<str:id>/schedules/<str:schedule_id>", hours.ScheduleView.as_view()),
    path("connectors/<str:id>/pause", hours.PauseView.as_view()),
    path("connectors/<str:id>/delays", hours.DelaysView.as_view()),
    path("sites/<str:id>/default-hours", hours.DefaultHoursView.as_view()),
    path("usage/sessions/<str:id>/story", story.StoryView.as_view()),
    path("sites/<str:id>/random-delay", hours.RandomDelayView.as_view()),
]
