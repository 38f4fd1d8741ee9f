interface InstallPrompt extends Event {
  prompt(): Promise<void>
  userChoice: Promise<{ outcome: 'accepted' | 'dismissed' }>
}

/** Putting the app on the home screen: browsers that can ask do; others get told how. */
class Install {
  #prompt = $state.raw<InstallPrompt | null>(null)
  installed = $state(
    matchMedia('(display-mode: standalone)').matches ||
      (navigator as { standalone?: boolean }).standalone === true,
  )

  constructor() {
    addEventListener('beforeinstallprompt', (event) => {
      event.preventDefault()
      this.#prompt = event as InstallPrompt
    })
    addEventListener('appinstalled', () => {
      this.#prompt = null
      this.installed = true
    })
  }

  get possible(): boolean {
    return this.#prompt !== null
  }

  get ios(): boolean {
    const { userAgent, maxTouchPoints } = navigator
    return /iPhone|iPad|iPod/.test(userAgent) || (/Macintosh/.test(userAgent) && maxTouchPoints > 1)
  }

  async ask(): Promise<void> {
    const prompt = this.#prompt
    // A prompt may be shown once only.
    this.#prompt = null
    await prompt?.prompt()
  }
}

export const install = new Install()
