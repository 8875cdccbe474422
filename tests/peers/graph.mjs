// whatsapp-api-js looks at signatures of Messenger and Instagram.

import { listen } from './calls.mjs';
import { isSigned } from './meta.mjs';

await listen(async (call) => ((await isSigned(call)) ? 200 : 401));
