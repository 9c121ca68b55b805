import { serve } from '../serve'
import compliance from './index'

void serve(compliance)
