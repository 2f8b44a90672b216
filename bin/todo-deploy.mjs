#!/usr/bin/env node
import '../src/edge/main.ts'
