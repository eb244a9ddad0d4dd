import { damageSuite } from './support/damage-suite.ts'

await damageSuite(true)
