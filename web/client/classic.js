// Pages without modules get the same client as `window.heatstrip`.

import { heatstrip } from './heatstrip.js';

Object.assign(window, { heatstrip });
