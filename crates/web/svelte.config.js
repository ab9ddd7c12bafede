// Svelte as it comes: types are stripped, styles go to files.
export default { compilerOptions: { runes: true } };
