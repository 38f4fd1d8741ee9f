from django.urls import path

from chargeamps.accounts import api

urlpatterns = [
    path("auth/sign-in", api.SignInView.as_view()),
    path("auth/sign-out", api.SignOutView.as_view()),
    path("me", api.MeView.as_view()),
    path("sites", api.SitesView.as_view()),
    path("sites/<str:id>", api.SiteView.as_view()),
]
