/** Assembly source as text, by Vite's and our own builds' `?raw`. */
declare module '*.s?raw' {
  const text: string;
  export default text;
}
