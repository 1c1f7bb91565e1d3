// SPDX-License-Identifier: Apache-2.0
import { useState } from 'preact/hooks';
import { post } from '../api';

export function Login({ onDone }: { onDone: () => void }) {
  const [trouble, setTrouble] = useState('');
  const [busy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    setBusy(true);
    setTrouble('');
    try {
      await post('/api/login', { user: form.get('user'), passphrase: form.get('passphrase') });
      onDone();
    } catch (error) {
      setTrouble(error instanceof Error ? error.message : String(error));
      setBusy(false);
    }
  };
  return (
    <main class="alone" id="main">
      <form class="panel narrow" onSubmit={(event) => void submit(event)}>
        <h1>Lineside</h1>
        <p class="dim">Who looks at this site?</p>
        <label>
          User
          <input name="user" autocomplete="username" autocapitalize="none" spellcheck={false} required autofocus />
        </label>
        <label>
          Passphrase
          <input name="passphrase" type="password" autocomplete="current-password" required />
        </label>
        {trouble && (
          <p class="trouble" role="alert">
            {trouble[0]?.toUpperCase()}
            {trouble.slice(1)}.
          </p>
        )}
        <button type="submit" class="primary" disabled={busy}>
          {busy ? 'One moment' : 'Log in'}
        </button>
        <p class="dim small">
          Whoever runs the gateway adds people: <code>lineside-seeder user add NAME</code>
        </p>
      </form>
    </main>
  );
}
