import { serve } from '../serve'
import finance from './index'

void serve(finance)
