// SPDX-License-Identifier: Apache-2.0
import { render } from 'preact';
import { App } from './app';
import { Live } from './live';
import './style.css';
import './views.css';

const live = new Live();
void live.begin();
render(<App live={live} />, document.getElementById('page') as HTMLElement);
