// The operator's page.
import './admin.css';

export { AdminApi, takeToken } from './admin-api';
export { Dashboard } from './dashboard';
export { Moderation } from './moderation';
export { Watch } from './watch';
