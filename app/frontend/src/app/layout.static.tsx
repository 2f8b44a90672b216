export { default, metadata, viewport } from './layout.tsx'
