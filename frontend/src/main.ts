import { mount } from 'svelte'
import './app.css'
import App from './App.svelte'
import { session } from './lib/session.svelte'
import { update } from './lib/update.svelte'

const target = document.getElementById('app')
if (target) mount(App, { target })

void session.start()
void update.start()
