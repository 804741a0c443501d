// The rules for JavaScript and TypeScript. `make lint` runs them from the root of the repository, because wasm and demo hold
// JavaScript too.

import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

const length = ["error", { code: 125, ignoreRegExpLiterals: true }];
const unused = ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_", ignoreRestSiblings: true }];
const constant = ["error", { destructuring: "all", ignoreReadBeforeAssign: true }];

export default defineConfig(
  { ignores: ["js/dist", "js/build", "**/node_modules"] },
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  {
    files: ["**/*.{js,mjs}"],
    extends: [tseslint.configs.base],
    rules: {
      eqeqeq: "error",
      "no-var": "error",
      "prefer-const": constant,
      "no-constant-condition": "error",
      "no-dupe-keys": "error",
      "no-unreachable": "error",
      "no-unsafe-finally": "error",
      "@typescript-eslint/no-unused-vars": ["error", { args: "none", varsIgnorePattern: "^_", ignoreRestSiblings: true }],
    },
  },
  { files: ["js/scripts/*.mjs", "wasm/{fetch,idb,kdf,socket}/*.js"], rules: { "max-len": length } },
  {
    files: ["js/src/*.ts"],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { project: "tsconfig.json", tsconfigRootDir: import.meta.dirname } },
    rules: {
      eqeqeq: "error",
      "max-len": length,
      "prefer-const": constant,
      "@typescript-eslint/no-unused-vars": unused,
      "@typescript-eslint/unbound-method": "off", // the objects here are made of closures, which use no `this`
    },
  },
);
