import { serve } from '../serve'
import tenancy from './index'

void serve(tenancy)
