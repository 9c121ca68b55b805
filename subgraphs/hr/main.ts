import { serve } from '../serve'
import hr from './index'

void serve(hr)
